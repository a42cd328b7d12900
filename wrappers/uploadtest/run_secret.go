package uploadtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// The properties of secrets: only the API gets them, and no text shows them.

// echoes are the answers that repeat what a request told.
var echoes = []string{
	`{"error":{"errorCode":"210","message":%[1]q,"details":%[1]q}}`,
	`{"error":"access_denied","error_description":%q}`,
	`<Error><Code>AccessDenied</Code><Message>%s</Message></Error>`,
	`%s`,
}

// secretsStay checks that no text shows a secret, even if the other side
// repeats it. A client that shows one does so again and again.
func secretsStay(t *trial) {
	if _, ok := t.about("an upload").arrives(file(1000)); ok {
		t.about("the client after an upload").tellsNothing(t.Uploader)
	}
	if t.Server == nil {
		return
	}
	t.each(opsOf(t.requests()), "%s answered with what it was told", func(t *trial, op string) {
		for _, echo := range echoes {
			it := t.Server.Inject(op, forEver, instead(func(w http.ResponseWriter, r *http.Request) {
				told := []string{"http://" + r.Host + r.RequestURI}
				for _, values := range r.Header {
					told = append(told, values...)
				}
				if op == Token {
					form, _ := io.ReadAll(r.Body)
					told = append(told, string(form))
				}
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprintf(w, echo, strings.Join(told, " "))
			}))
			_, err := t.send(t.Context(), file(1000))
			if it.Remove(); err == nil {
				t.broke("error: none, though the answer was 403")
				return
			} else if !t.tellsNothing(err) {
				return
			}
		}
	})
}

// urlsTellNothing checks that no URL holds a secret: a URL stands in the log of
// each server and proxy. The storage service hears of no credential in any
// header, such as a Referer.
func urlsTellNothing(t *trial) {
	if t.operations(); len(t.Secrets) == 0 {
		return
	}
	for _, r := range t.requests() {
		if t.seen.Note(aSecret); r.Op != Presigned && shows(r.URI, t.Secrets) &&
			!r.broke(contract.RuleCredentials) {
			t.about("%s", r.Op).broke("credentials: a secret stands in the URL of %s %s", r.Method, path(r.URI))
		}
		for name, values := range r.Header {
			if r.Op == Presigned && !slices.Contains(t.Server.contract.CredentialHeaders, name) &&
				shows(strings.Join(values, " "), t.Secrets) {
				t.about("%s", r.Op).broke("credentials: a secret stands in the header %s", name)
			}
		}
	}
}

// redirects are the answers that point somewhere else.
var redirects = []int{301, 302, 303, 307, 308}

// redirectsTellNothing checks that credentials stay with the API, wherever an
// answer points.
func redirectsTellNothing(t *trial) {
	for _, op := range t.operations() {
		for _, status := range redirects {
			t.about("%s redirected by %d to another host", op, status).fresh(func(t *trial) {
				told, content := make(chan string, 100), payload.Noise(1000)
				var arrived atomic.Bool
				elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					for _, name := range t.Server.contract.CredentialHeaders {
						if r.Header.Get(name) != "" {
							told <- "header " + name
						}
					}
					body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
					if bytes.Contains(body, content) {
						arrived.Store(true)
					}
					if op != Presigned && shows(fmt.Sprint(r.RequestURI, r.Header, " ", string(body)), t.Secrets) {
						told <- "a secret"
					}
				}))
				t.Cleanup(elsewhere.Close)
				to := strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1) // one host may have several ports
				t.Server.Inject(op, forEver, Answer(status, "", "Location", to+"/elsewhere"))
				// Net/http closes a reader twice where it meets a redirect.
				_, err := t.send(t.Context(), &source{Source: upload.Bytes("file.bin", content)})
				if err == nil && !arrived.Load() {
					t.broke("upload: it returned no error, but the file arrived nowhere")
				}
				t.seen.Note(aRedirect)
				select {
				case what := <-told:
					t.broke("credentials: %s was sent to the other host", what)
				default:
				}
			})
		}
	}
}

// shows reports whether a text has one of the secrets in it, as it stands or
// percent-encoded.
func shows(text string, secrets []string) bool {
	return slices.ContainsFunc(secrets, func(s string) bool {
		return s != "" && (strings.Contains(text, s) || strings.Contains(text, url.QueryEscape(s)))
	})
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
	for _, r := range t.requests() {
		for _, name := range t.Server.contract.CredentialHeaders {
			value := r.Header.Get(name)
			value = value[strings.IndexByte(value, ' ')+1:]
			isNumber := strings.Trim(value, "0123456789") == ""
			if len(value) >= 8 && !isNumber && !public.MatchString(name) {
				secrets = append(secrets, value)
			}
		}
	}
	return slices.DeleteFunc(secrets, func(s string) bool { return s == "" })
}

// public matches the headers of credentials that only say whose they are.
var public = regexp.MustCompile(`(?i)access.?key|client|user|id$`)

// tellsNothing looks for secrets in everything that can be printed of v. It
// reports whether there are none.
func (t *trial) tellsNothing(v any) bool {
	t.Helper()
	printed := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		printed[verb+" of package fmt"] = fmt.Sprintf(verb, v)
	}
	if b, err := json.Marshal(v); err == nil {
		printed["JSON"] = string(b)
	}
	for e, ok := v.(error); ok && e != nil; e = errors.Unwrap(e) {
		printed["an error of its chain"] += e.Error() + "\n"
	}
	secrets := t.hidden()
	for how, text := range printed {
		if len(secrets) == 0 {
			return true
		}
		if t.seen.Note(aSecret); shows(text, secrets) {
			t.broke("secrets: %s printed by %s shows a credential or a presigned query", fmt.Sprintf("%T", v), how)
			return false
		}
	}
	return true
}
