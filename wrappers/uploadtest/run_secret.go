package uploadtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/putpost/putpost/wrappers/upload"
)

// The properties of secrets: who hears them, and where they stand.

// secretsStay: also where the other side repeats all that it was told.
func secretsStay(t *trial) {
	if _, ok := t.arrives("an upload", newSource("secret.bin", upload.OctetStream, noise(1000, 12), nil)); ok {
		t.tellsNothing("the client after an upload", t.Uploader)
	}
	if t.Server == nil {
		return
	}
	for _, op := range t.Server.ops() {
		for _, shape := range []string{
			`{"error":{"errorCode":"210","message":%[1]q,"details":%[1]q}}`,
			`{"error":"access_denied","error_description":%q}`,
			`<Error><Code>AccessDenied</Code><Message>%s</Message></Error>`,
			`%s`,
		} {
			t.fresh(op, func(t *trial) {
				what := op + " answered with what it was told"
				t.Server.Inject(op, -1, func(http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						told := []string{"http://" + r.Host + r.RequestURI}
						for _, values := range r.Header {
							told = append(told, values...)
						}
						if op == Token {
							form, _ := io.ReadAll(r.Body)
							told = append(told, string(form))
						}
						w.WriteHeader(http.StatusForbidden)
						fmt.Fprintf(w, shape, strings.Join(told, " "))
					})
				})
				_, err := t.send(t.Context(), what, newSource("secret.bin", upload.OctetStream, noise(1000, 13), nil))
				if err == nil {
					t.Errorf("%s: error: none, though the answer was 403", what)
					return
				}
				t.tellsNothing(what, err)
			})
		}
	}
}

// urlsTellNothing: a URL stands in the log of each server and proxy.
func urlsTellNothing(t *trial) {
	if t.operations(); len(t.Secrets) == 0 {
		return
	}
	for _, r := range t.requestsSince(0) {
		if r.Op == Presigned {
			continue
		}
		t.seen.note(aSecret)
		for _, secret := range t.Secrets {
			if secret != "" && (strings.Contains(r.URI, secret) || strings.Contains(r.URI, url.QueryEscape(secret))) {
				t.Errorf("%s: credentials: one stands in the URL (%s %s)", r.Op, r.Method, path(r.URI))
			}
		}
	}
}

// redirectsTellNothing: wherever an answer points to, credentials stay with the
// API.
func redirectsTellNothing(t *trial) {
	for _, op := range t.operations() {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.fresh(fmt.Sprintf("%s %d", op, status), func(t *trial) {
				what := fmt.Sprintf("%s redirected by %d to another host", op, status)
				var mu sync.Mutex
				told := ""
				elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					defer mu.Unlock()
					for _, name := range t.Server.contract.CredentialHeaders() {
						if r.Header.Get(name) != "" {
							told = "header " + name
						}
					}
					body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
					for _, secret := range t.Secrets {
						if secret != "" && op != Presigned &&
							(strings.Contains(r.RequestURI, url.QueryEscape(secret)) ||
								strings.Contains(string(body), url.QueryEscape(secret))) {
							told = "a secret"
						}
					}
				}))
				t.Cleanup(elsewhere.Close)
				t.Server.Inject(op, -1, Answer(status, "", "Location", elsewhere.URL+"/elsewhere"))
				_, _ = t.send(t.Context(), what, newSource("moved.bin", upload.OctetStream, noise(1000, 30), nil))
				t.seen.note(aRedirect)
				mu.Lock()
				defer mu.Unlock()
				if told != "" {
					t.Errorf("%s: credentials: %s went along", what, told)
				}
			})
		}
	}
}

// masked returns the text of an error without the secrets that it may show.
func (t *trial) masked(err error) string {
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	for _, secret := range t.hidden() {
		text = strings.ReplaceAll(text, secret, "[secret]")
	}
	return text
}

// hidden returns all that nothing may show.
func (t *trial) hidden() []string {
	secrets := slices.Clone(t.Secrets)
	if t.Server != nil {
		secrets = append(secrets, t.Server.contract.Secrets()...)
	}
	return slices.DeleteFunc(secrets, func(s string) bool { return s == "" })
}

// tellsNothing looks for secrets in everything that can be printed of v.
func (t *trial) tellsNothing(what string, v any) {
	t.Helper()
	printed := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		printed[verb] = fmt.Sprintf(verb, v)
	}
	if b, err := json.Marshal(v); err == nil {
		printed["JSON"] = string(b)
	}
	for e, ok := v.(error); ok && e != nil; e = errors.Unwrap(e) {
		printed["an error of its chain"] += e.Error() + "\n"
	}
	for how, text := range printed {
		for _, secret := range t.hidden() {
			t.seen.note(aSecret)
			if strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)) {
				t.Errorf("%s: secrets: %T printed by %s shows a credential or a presigned query", what, v, how)
				return
			}
		}
	}
}
