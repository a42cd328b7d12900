package standin_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/twentyfourseven/standin"
)

// A presigned URL is valid as it was issued, with its content type. With any
// other word in it, or another type, it is refused and nothing is stored.
func FuzzPresignedURL(f *testing.F) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := start
	h, err := standin.New(
		standin.Config{Store: store.Memory(1 << 20), Token: "test-token", Now: func() time.Time { return now }})
	if err != nil {
		f.Fatal(err)
	}
	const contentType = "application/pdf"
	issue := func(t testing.TB) (fileID string, u *url.URL) {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/v1/fileUpload",
			strings.NewReader(`{"contentType":"`+contentType+`"}`))
		r.Header.Set("Authorization", "Bearer test-token")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var ticket struct{ FileID, UploadURL string }
		if err := json.Unmarshal(w.Body.Bytes(), &ticket); err != nil {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
		if u, err = url.Parse(ticket.UploadURL); err != nil {
			t.Fatal(err)
		}
		return ticket.FileID, u
	}
	// Each non-empty word replaces one of the URL's.
	f.Add("PUT", "", "", "", contentType, "", int64(0))
	f.Add("PUT", "", "", "", contentType, "", int64(899))
	f.Add("PUT", "", "", "", contentType, "", int64(900))
	f.Add("PUT", "", "", "", "application/pdf ", "", int64(0))
	f.Add("PUT", "", "9999999999", "", contentType, "", int64(0))
	f.Add("PUT", "", " 1772367300", "", contentType, "", int64(0))
	f.Add("PUT", "", "", "00", contentType, "", int64(0))
	f.Add("PUT", "../x", "", "", contentType, "", int64(0))
	f.Add("PUT", "", "", "", contentType, "&expires=9999999999", int64(0))
	f.Add("PUT", "", "", "", contentType, ";signature=", int64(0))
	f.Add("GET", "", "", "", contentType, "", int64(0))
	f.Fuzz(func(t *testing.T, method, id, expires, signature, typ, more string, later int64) {
		later %= 1_000_000
		if later < 0 { // an earlier clock ends no URL
			later = 0
		}
		now = start
		fileID, u := issue(t)
		query := u.Query()
		changed := method != http.MethodPut || typ != contentType || more != "" || later >= 900
		for name, value := range map[string]string{"expires": expires, "signature": signature} {
			if value != "" {
				changed = changed || value != query.Get(name)
				query.Set(name, value)
			}
		}
		if id != "" {
			changed = changed || "/upload/"+id != u.Path
			u.Path, u.RawPath = "/upload/"+id, ""
		}
		u.RawQuery = query.Encode() + more
		now = start.Add(time.Duration(later) * time.Second)
		r := (&http.Request{
			Method: method, URL: u, Host: u.Host, RequestURI: u.RequestURI(), Proto: "HTTP/1.1", ProtoMajor: 1,
			ProtoMinor: 1, Header: http.Header{"Content-Type": {typ}, "Content-Length": {"7"}}, ContentLength: 7,
			Body: http.NoBody,
		}).WithContext(t.Context())
		r.Body = httptest.NewRequest(http.MethodPut, "/", strings.NewReader("content")).Body
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)

		now = start
		rc, _, err := h.Open(t.Context(), fileID)
		if err == nil {
			_ = rc.Close()
		}
		taken, stored := w.Code/100 == 2, err == nil
		if taken != stored || taken == changed {
			t.Fatalf("%s %s (%q, %d s later) is answered %d, and stored: %t; changed: %t", method, u, typ,
				later, w.Code, stored, changed)
		}
	})
}
