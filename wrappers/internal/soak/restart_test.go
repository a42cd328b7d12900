//go:build unix

package soak

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

// post sends text and decodes the answer.
func post(t *testing.T, method, target, contentType, bearer string, body io.Reader, answer any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %s, %v", method, req.URL.Path, resp.StatusCode, text, err)
	}
	if answer != nil {
		if err := json.Unmarshal(text, answer); err != nil {
			t.Fatal(err)
		}
	}
}

// Whichever way the program ended, it is the same service when it is back.
func TestTokensURLsAndIDsOutliveARestart(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			dir := t.TempDir()
			p := startProgram(t, dir, "127.0.0.1:0")
			_, mailer := p.clients(t)
			sent, err := mailer.Upload(t.Context(), upload.Bytes(name(1), content(1, 100)))
			if err != nil {
				t.Fatal(err)
			}
			var grant struct {
				AccessToken string `json:"access_token"`
			}
			post(t, http.MethodPost, p.url+"/oauth/token", "application/x-www-form-urlencoded", "", strings.NewReader(url.Values{
				"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {clientSecret},
				"audience": {"https://api.24sevenoffice.com"}, "login_organization": {"1"},
			}.Encode()), &grant)
			var ticket struct{ UploadURL, FileID string }
			post(t, http.MethodPost, p.url+"/v1/fileUpload", "application/json", grant.AccessToken, strings.NewReader(`{"contentType":"text/plain"}`), &ticket)

			p.end(sig)
			p = startProgram(t, dir, strings.TrimPrefix(p.url, "http://"))
			status := func() (s struct {
				Status     string
				DocumentID int64
			}) {
				post(t, http.MethodGet, p.url+"/v1/fileUpload/"+ticket.FileID, "", grant.AccessToken, nil, &s)
				return s
			}
			if s := status(); s.Status != "Pending" {
				t.Errorf("before the file: %+v", s)
			}
			file := content(2, 100)
			post(t, http.MethodPut, ticket.UploadURL, "text/plain", "", strings.NewReader(string(file)), nil)
			if s := status(); s.Status != "Completed" || s.DocumentID == 0 {
				t.Errorf("after the file: %+v", s)
			}
			_, mailer = p.clients(t)
			batch, err := mailer.GetFile(t.Context(), sent.TempRequestID)
			if err != nil || len(batch.Files) != 1 || batch.Files[0].ID != sent.ID {
				t.Errorf("getFile: %+v, %v", batch, err)
			}
			p.end(syscall.SIGTERM)
			inFolder(t, dir, map[string][]upload.Sent{
				"ncloudmailer":    {{Source: upload.Bytes(name(1), content(1, 100)), Result: sent}},
				"twentyfourseven": {{Source: upload.Bytes(name(2), file), Result: upload.Result{ID: ticket.FileID}}},
			})
		})
	}
}
