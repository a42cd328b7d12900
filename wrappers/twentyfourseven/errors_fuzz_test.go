package twentyfourseven_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

// answering gives every API call and token call the same answer, and accepts
// every file.
func answering(status int, body string) *http.Client {
	return standintest.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "store.example" {
			says(status, body)(w, r)
		}
	}))
}

// The provider declares a string for a fileId, but shows an integer. It is a
// text, kept as it was written, or a whole number with all its digits. Anything
// else is an error.
func FuzzFileID(f *testing.F) {
	for _, raw := range []string{
		`67890`, `"67890"`, `0`, `-0`, `-5`, `9007199254740993`, `123456789012345678901234567890`,
		`"\u00e5\/\"b"`, `""`, `null`, `true`, `1.0`, `1e3`, `[1]`, `{"id":1}`,
		` 1 `, `01`, `67890.0`, `6.789e4`, `"00012"`, `"1.5"`, `18446744073709551617`, `"a`, `1,"fileId":2`, "\"\xff\"",
		`"\ud800"`,
	} {
		f.Add([]byte(raw))
	}
	integer := regexp.MustCompile(`^-?[0-9]+$`)
	f.Fuzz(func(t *testing.T, raw []byte) {
		body := `{"uploadMethod":"PUT","uploadUrl":"https://store.example/x?sig=1","fileId":` + string(raw) + `}`
		client := connect(t, static, upload.Config{BaseURL: "https://api.example/v1",
			HTTPClient: answering(200, body), Retry: upload.Retry{Attempts: 1}})
		res, err := client.Upload(t.Context(), small)
		if err != nil {
			if f := failure(t, err); f.Status != 200 || !errors.Is(f, upload.ErrUnavailable) {
				t.Fatalf("the fileId %s is refused as %v", raw, err)
			}
		}
		if !json.Valid(raw) { // it may have closed the object, and begun a fileId of its own
			if err == nil && res.ID == "" {
				t.Fatalf("%s gives no id and no error", body)
			}
			return
		}
		var value any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		must(t, d.Decode(&value))
		want := ""
		switch v := value.(type) {
		case string:
			want = v
		case json.Number:
			want = v.String()
			// This computes the number in another way than the client. Numbers
			// with a larger exponent are errors.
			if exponent := regexp.MustCompile(`[eE][+-]?0*[0-9]{3,}$`); !integer.MatchString(want) &&
				!exponent.MatchString(want) {
				if number, ok := new(big.Rat).SetString(want); !ok || !number.IsInt() {
					want = ""
				} else {
					want = number.Num().String()
				}
			} else if !integer.MatchString(want) {
				return
			}
		}
		if res.ID != want || (err == nil) != (want != "") {
			t.Fatalf("the fileId %s gives %q and %v, want %q", raw, res.ID, err, want)
		}
	})
}

// For any answer of a token server, nothing panics, the status decides, and
// neither the secret nor a token is shown.
func FuzzTokenAnswer(f *testing.F) {
	f.Add(200, []byte(`{"access_token":"TOKEN","token_type":"Bearer","expires_in":3600}`))
	f.Add(200, []byte(`{"access_token":"TOKEN\r\n","token_type":"Bearer\n","expires_in":"-1e400"}`))
	f.Add(401, []byte(`{"error":"invalid_client","error_description":"SECRET is wrong"}`))
	f.Add(400, []byte(`{"error":"SECRET","error_description":["SECRET"]}`))
	f.Add(401, []byte(`{"error":"`+strings.Repeat("x", 50)+`SECRET"}`)) // a text whose end is cut
	f.Add(401, []byte(`{"error_description":"`+strings.Repeat("x", 245)+`SECRET"}`))
	f.Add(403, []byte("<html>SECRET</html>"))
	f.Add(302, []byte(""))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		const secret, token = "the-client-secret/+=Zx81", "a-token-Zx81Q7"
		status = 200 + max(status, -status, 0)%300
		if status == 408 || status == 429 { // these are repeated, after waits in real time
			status = 400
		}
		text := strings.NewReplacer("SECRET", secret, "TOKEN", token).Replace(string(body))
		ctx := context.WithValue(t.Context(), oauth2.HTTPClient, answering(status, text))
		got, err := twentyfourseven.ClientCredentials{ClientID: "id", ClientSecret: secret, Organization: "1",
			TokenURL: "https://login.example/oauth/token"}.TokenSource(ctx).Token()
		if err == nil {
			if status/100 != 2 || got.AccessToken == "" ||
				strings.ContainsFunc(got.AccessToken+got.TokenType, unicode.IsControl) {
				t.Fatalf("the status %d with %q is the token %q", status, text, got.AccessToken)
			}
			return
		}
		if f := failure(t, err); f.Status != status {
			t.Fatalf("the status is %d, want %d: %v", f.Status, status, err)
		}
		// Eight letters of the secret are too many.
		if told := err.Error(); strings.Contains(told, secret[:8]) || strings.Contains(told, token) {
			t.Fatalf("a secret is told: %s", told)
		}
	})
}
