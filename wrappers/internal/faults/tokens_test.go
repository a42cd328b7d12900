package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/upload"
)

var here = []place{token}

// What the token server says, when it says no or nothing of use.
func TestTokenAnswers(t *testing.T) {
	oauth := func(status int, code, description string) fault {
		return answer(status, fmt.Sprintf(`{"error":%q,"error_description":%q}`, code, description), "Content-Type", "application/json")
	}
	no := func(kind error, status int, code string) want {
		return want{kinds: kinds(kind), status: status, code: code, tries: 1}
	}
	unusable := want{kinds: unavailable, status: 200, tries: 1}
	rows := []row{
		{name: "401 invalid_client", at: here, fault: oauth(401, "invalid_client", "Unknown client."), want: no(upload.ErrUnauthorized, 401, "invalid_client")},
		{name: "400 invalid_client", at: here, fault: oauth(400, "invalid_client", "Unknown client."), want: no(upload.ErrUnauthorized, 400, "invalid_client")},
		{name: "400 unauthorized_client", at: here, fault: oauth(400, "unauthorized_client", ""), want: no(upload.ErrUnauthorized, 400, "unauthorized_client")},
		{name: "400 invalid_request", at: here, fault: oauth(400, "invalid_request", "No audience."), want: no(upload.ErrInvalid, 400, "invalid_request")},
		{name: "403 access_denied", at: here, fault: oauth(403, "access_denied", "Not this organization."), want: no(upload.ErrUnauthorized, 403, "access_denied")},
		{name: "403 in HTML", at: here, fault: answer(403, "<html>blocked</html>"), want: no(upload.ErrUnauthorized, 403, "")},
		{name: "404 in HTML", at: here, fault: answer(404, "<html>no such page</html>"), want: no(upload.ErrNotFound, 404, "")},

		{name: "200 in HTML", at: here, fault: answer(200, "<html>Sign in</html>"), want: unusable},
		{name: "200 without a body", at: here, fault: answer(200, ""), want: unusable},
		{name: "200 with null", at: here, fault: answer(200, "null"), want: unusable},
		{name: "200 without a token", at: here, fault: answer(200, `{"token_type":"Bearer","expires_in":3600}`), want: unusable},
		{name: "200 with an empty token", at: here, fault: answer(200, `{"access_token":"","token_type":"Bearer"}`), want: unusable},
		{name: "200 with a number for a token", at: here, fault: answer(200, `{"access_token":67890,"token_type":"Bearer"}`), want: unusable},
		{name: "200 with an error", at: here, fault: oauth(200, "invalid_client", "Unknown client."), want: no(upload.ErrUnauthorized, 200, "invalid_client")},
		{name: "200 that breaks off", at: here, fault: raw("HTTP/1.1 200 OK\nContent-Length: 500\n\n{\"access_token\":\"" + planted), want: unusable},
		{name: "200 of two mebibytes", at: here, fault: answer(200, `{"access_token":"`+strings.Repeat("x", 2<<20)+`"}`), want: unusable},
		{name: "204", at: here, fault: answer(204, ""), want: want{kinds: unavailable, status: 204, tries: 1}},

		{name: "a token with a line break", at: here, fault: answer(200, `{"access_token":"`+planted+`\r\nX-Injected: 1","token_type":"Bearer"}`), want: unusable},
		{name: "a scheme with a line break", at: here, fault: answer(200, `{"access_token":"`+planted+`","token_type":"Bearer\r\nX-Injected: 1"}`), want: unusable},
		{name: "a token with a blank", at: here, fault: answer(200, `{"access_token":"`+planted+` token","token_type":"Bearer"}`), want: unusable},

		{name: "the secret in the description", at: here, fault: oauth(401, "invalid_client", "The secret "+clientSecret+" is wrong."), want: no(upload.ErrUnauthorized, 401, "invalid_client")},
		{name: "the secret where the description is cut", at: here, fault: oauth(401, "invalid_client", strings.Repeat("x", 256-len(planted)-5)+clientSecret),
			want: no(upload.ErrUnauthorized, 401, "invalid_client")},
		{name: "the secret in the code", at: here, fault: oauth(401, "the secret "+clientSecret+" is wrong", ""), want: no(upload.ErrUnauthorized, 401, "the secret [redacted] is wrong")},
		{name: "the whole form in a page", at: here,
			fault: func(h *hit) {
				form, _ := io.ReadAll(h.r.Body)
				answer(400, "<pre>"+string(form)+"</pre>")(h)
			},
			want: no(upload.ErrInvalid, 400, "")},
		{name: "the whole form in the description", at: here,
			fault: func(h *hit) {
				form, _ := io.ReadAll(h.r.Body)
				oauth(400, "invalid_request", string(form))(h)
			},
			want: no(upload.ErrInvalid, 400, "invalid_request")},
	}
	for _, expires := range []string{`0`, `-1`, `1`, `1e3`, `99999999999999999999`, `"3600"`, `null`, `3599.5`} {
		rows = append(rows, row{name: "expires_in " + expires, at: here, want: want{stored: true},
			fault: func(h *hit) {
				answer(200, fmt.Sprintf(`{"access_token":%q,"token_type":"bearer","expires_in":%s}`, h.lab.newToken(), expires))(h)
			}})
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		rows = append(rows, row{name: fmt.Sprintf("%d to another host, which gets no secret", status), at: here,
			fault: func(h *hit) {
				stranger := h.lab.server(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { h.lab.t.Error("the redirect was followed") }))
				answer(status, "", "Location", stranger.URL+"/oauth/token")(h)
			},
			want: want{kinds: unavailable, status: status, tries: 1}})
	}
	runAll(t, rows)
}

// A token that the API refuses, now or for ever.
func TestRefusedTokens(t *testing.T) {
	api := []place{fileUpload}
	// tokens checks how many were fetched.
	tokens := func(n int) func(*lab, upload.Result, error) {
		return func(l *lab, _ upload.Result, _ error) { equal(l, "the number of token calls", l.received(token), n) }
	}
	refusal := func(tries int) want {
		return want{kinds: kinds(upload.ErrUnauthorized), status: 401, tries: tries}
	}
	inMidBatch := func(ctx context.Context, l *lab, u upload.Uploader) (upload.Result, error) {
		if res, err := u.Upload(ctx, l.src); err != nil {
			return res, err
		}
		l.revoke()
		return u.Upload(ctx, l.src)
	}
	foreign := func(f func(n int) (*oauth2.Token, error)) func(*lab) {
		var mu sync.Mutex
		n := 0
		return func(l *lab) {
			l.tokens = tokenFunc(func() (*oauth2.Token, error) {
				mu.Lock()
				defer mu.Unlock()
				n++
				return f(n)
			})
		}
	}
	once := func(l *lab) { l.counts = nil; l.src = l.oneShot() }
	rows := []row{
		{name: "401 once", at: api, fault: first(1, answer(401, "")), want: want{tries: 2, stored: true}, check: tokens(2)},
		{name: "401 for ever", at: api, fault: answer(401, ""), want: refusal(2), check: tokens(2)},
		{name: "401 in HTML for ever", at: api, fault: answer(401, "<html>Sign in</html>"), want: refusal(2), check: tokens(2)},
		{name: "401, then 503, then well", at: api, fault: inTurn(answer(401, ""), answer(503, "")), want: want{tries: 3, stored: true}, check: tokens(2)},
		{name: "401, then 403", at: api, fault: inTurn(answer(401, ""), answer(403, "")), want: want{kinds: kinds(upload.ErrForbidden), status: 403, tries: 2}, last: true},
		{name: "the token ends in mid-batch", at: api, call: inMidBatch, want: want{tries: 3, stored: true}, check: bothChecks(tokens(2), eachStored)},
		{name: "the token ends in mid-batch, and the source can be read once", at: api, set: once, want: want{tries: 2, stored: true}, check: tokens(2),
			call: func(ctx context.Context, l *lab, u upload.Uploader) (upload.Result, error) {
				if _, err := u.Upload(ctx, upload.Bytes("before.txt", []byte("before"))); err != nil {
					return upload.Result{}, err
				}
				l.mu.Lock()
				clear(l.stored)
				clear(l.seen[fileUpload])
				l.seen[fileUpload] = nil
				l.mu.Unlock()
				l.revoke()
				return u.Upload(ctx, l.src)
			}},
		{name: "the token ends where nothing is sent twice, and the next upload has another", at: api, fault: first(1, func(h *hit) { h.lab.revoke(); h.correct() }), set: attempts(1),
			want: refusal(1)},
		{name: "the token server gives the refused token again", at: api, fault: answer(401, ""), want: refusal(1), check: tokens(2),
			set: func(l *lab) {
				l.faults[token] = answer(200, `{"access_token":"`+planted+`-the-same","token_type":"Bearer","expires_in":3600}`)
			}, last: true},
		{name: "401, and then the token server refuses", at: api, fault: answer(401, ""), check: tokens(2), last: true,
			set: func(l *lab) {
				l.faults[token] = inTurn(nothing, answer(403, `{"error":"access_denied"}`))
			},
			want: refusal(1)},
		{name: "a hundred uploads, and the token ends for all of them", at: api, want: want{tries: 201, stored: true}, check: tokens(2),
			call: func(ctx context.Context, l *lab, u upload.Uploader) (upload.Result, error) {
				res, err := u.Upload(ctx, l.src)
				if err != nil {
					return res, err
				}
				l.revoke()
				var gate, wg sync.WaitGroup // all are refused before any asks for another token
				gate.Add(100)
				l.mu.Lock()
				l.faults[fileUpload] = func(h *hit) {
					if h.n <= 101 {
						gate.Done()
						gate.Wait()
					}
					h.correct()
				}
				l.mu.Unlock()
				for range 100 {
					wg.Go(func() {
						if _, err := u.Upload(ctx, upload.Bytes("short.txt", []byte("short"))); err != nil {
							l.t.Errorf("one of a hundred fails: %v", err)
						}
					})
				}
				wg.Wait()
				l.mu.Lock()
				defer l.mu.Unlock()
				for id, o := range l.stored {
					if o.size == 5 {
						delete(l.stored, id)
					}
				}
				return res, nil
			}},

		{name: "the one who asks for the token is called back, and the one who waits is not", at: here, fault: first(1, hang), want: want{tries: 2, stored: true},
			call: func(ctx context.Context, l *lab, u upload.Uploader) (upload.Result, error) {
				return l.second(u, context.Canceled, func(stopFirst func()) (upload.Result, error) {
					time.AfterFunc(20*time.Millisecond, stopFirst) // when the second waits
					return u.Upload(ctx, l.src)
				})
			}},
		{name: "the one who waits for the token is called back", at: here, fault: hang, want: want{kinds: kinds(context.Canceled), tries: 1}, last: true,
			call: func(ctx context.Context, l *lab, u upload.Uploader) (upload.Result, error) {
				return l.second(u, context.Canceled, func(stopFirst func()) (upload.Result, error) {
					l.stopSoon()
					defer stopFirst()
					res, err := u.Upload(ctx, l.src)
					if took := time.Since(*l.stopped.Load()); took > time.Second {
						l.t.Errorf("it took %s to hear the context", took)
					}
					return res, err
				})
			}},

		{name: "a foreign source gives another token", at: api, fault: first(1, answer(401, "")), want: want{tries: 2, stored: true},
			set: func(l *lab) {
				foreign(func(n int) (*oauth2.Token, error) { return &oauth2.Token{AccessToken: l.newToken()}, nil })(l)
			}},
		{name: "a foreign source gives the same token", at: api, fault: answer(401, ""), want: refusal(1), last: true,
			set: foreign(func(int) (*oauth2.Token, error) { return &oauth2.Token{AccessToken: planted + "-static"}, nil })},
	}
	fails := func(name string, w want, f func() (*oauth2.Token, error)) {
		w.op, w.reached = "token", none
		rows = append(rows, row{name: "a foreign source " + name, at: api, want: w, last: true, set: foreign(func(int) (*oauth2.Token, error) { return f() })})
	}
	invalid := want{kinds: kinds(upload.ErrInvalid), tries: 1}
	fails("fails", want{kinds: unavailable, tries: 1, says: []string{"the vault is sealed"}}, func() (*oauth2.Token, error) { return nil, errors.New("the vault is sealed") })
	fails("shows an address with its query", want{kinds: unavailable, tries: 1}, func() (*oauth2.Token, error) {
		return nil, errors.New(`Get "https://vault.example/v1/token?role=` + planted + `": no route`)
	})
	fails("fails in more than one line", want{kinds: unavailable, tries: 1}, func() (*oauth2.Token, error) {
		return nil, errors.New("the vault\r\nis sealed\x1b[31m")
	})
	fails("fails with a url.Error", want{kinds: unavailable, tries: 1}, func() (*oauth2.Token, error) {
		return nil, fmt.Errorf("token: %w", &url.Error{Op: "Get", URL: "https://someone:" + planted + "@vault.example/?q=" + planted, Err: io.ErrUnexpectedEOF})
	})
	fails("shows the token server's body", want{kinds: kinds(upload.ErrUnauthorized), status: 401, code: "invalid_client", tries: 1, noTrace: true}, func() (*oauth2.Token, error) {
		return nil, &oauth2.RetrieveError{Response: &http.Response{StatusCode: 401}, Body: []byte("<html>" + planted), ErrorCode: "invalid_client", ErrorDescription: "Unknown client."}
	})
	fails("gives none", invalid, func() (*oauth2.Token, error) { return nil, nil })
	fails("gives an empty one", invalid, func() (*oauth2.Token, error) { return &oauth2.Token{}, nil })
	fails("gives one with a line break", invalid, func() (*oauth2.Token, error) { return &oauth2.Token{AccessToken: planted + "\r\nX-Injected: 1"}, nil })
	fails("gives a scheme with a line break", invalid, func() (*oauth2.Token, error) {
		return &oauth2.Token{AccessToken: planted + "-token", TokenType: "Bearer\r\nX-Injected: 1"}, nil
	})
	fails("panics not, but says that it was cancelled", want{kinds: kinds(upload.ErrUnavailable, context.Canceled), tries: 1}, func() (*oauth2.Token, error) { return nil, context.Canceled })
	rows = append(rows, row{name: "a foreign source hangs and does not hear the deadline", at: api, last: true,
		set: foreign(func(int) (*oauth2.Token, error) {
			time.Sleep(60 * time.Millisecond)
			return &oauth2.Token{AccessToken: planted + "-late"}, nil
		}),
		call: within(20 * time.Millisecond),
		want: want{kinds: kinds(context.DeadlineExceeded), tries: 1, reached: none}})
	runAll(t, rows)
}

// second does something while another upload hangs in the token call, which
// ends with an error when it is told to stop.
func (l *lab) second(u upload.Uploader, end error, do func(stopFirst func()) (upload.Result, error)) (res upload.Result, err error) {
	first, stopFirst := context.WithCancel(l.t.Context())
	defer stopFirst()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		if _, err := u.Upload(first, small); !errors.Is(err, end) {
			l.t.Errorf("the first upload got the error %v", err)
		}
	})
	for l.received(token) == 0 {
		time.Sleep(time.Millisecond)
	}
	return do(stopFirst)
}

func bothChecks(a, b func(*lab, upload.Result, error)) func(*lab, upload.Result, error) {
	return func(l *lab, res upload.Result, err error) { a(l, res, err); b(l, res, err) }
}

// within gives an upload so much time.
func within(d time.Duration) func(context.Context, *lab, upload.Uploader) (upload.Result, error) {
	return func(ctx context.Context, l *lab, u upload.Uploader) (upload.Result, error) {
		ctx, stop := context.WithTimeout(ctx, d)
		defer stop()
		return u.Upload(ctx, l.src)
	}
}

// A token server that fails is asked again, as upload.Retry's zero value says.
func tokenServerInTrouble() []row {
	lost := want{kinds: unavailable, tries: 4}
	return []row{
		{name: "refused", at: here, last: true, want: want{kinds: unavailable, tries: 4, reached: none},
			late: func(l *lab) { l.tokenURL = "http://" + l.deadAddress() + "/oauth/token" }},
		{name: "reset before the body", at: here, fault: reset, want: lost},
		{name: "closed in place of the answer", at: here, fault: afterBody(closed), want: lost},
		{name: "another protocol", at: here, fault: raw("SSH-2.0-OpenSSH_9.9\n"), want: lost},
		{name: "the secret in a line that is no status line", at: here, fault: raw(clientSecret + "\n\n"), want: lost},
		{name: "500 in HTML", at: here, fault: answer(500, "<html>"), want: want{kinds: unavailable, status: 500, tries: 4}},
		{name: "429 for ever", at: here, fault: answer(429, `{"error":"slow_down"}`), want: want{kinds: kinds(upload.ErrRateLimited), status: 429, code: "slow_down", tries: 4}},
		{name: "503 once", at: here, fault: first(1, answer(503, "")), want: want{tries: 2, stored: true}},
		{name: "reset once", at: here, fault: first(1, reset), want: want{tries: 2, stored: true}},
		{name: "never answers, and the caller's HTTP client does not wait for ever", at: here, fault: hang, set: func(l *lab) { l.client.Timeout = 500 * time.Millisecond },
			want: want{kinds: unavailable, tries: 4}},
		{name: "never answers, and four uploads share the failure", at: here, fault: hang, set: func(l *lab) { l.client.Timeout = 500 * time.Millisecond },
			call: func(ctx context.Context, l *lab, u upload.Uploader) (res upload.Result, err error) {
				var wg sync.WaitGroup
				for range 3 {
					wg.Go(func() {
						if _, err := u.Upload(ctx, small); !errors.Is(err, upload.ErrUnavailable) {
							l.t.Errorf("one of four got the error %v", err)
						}
					})
				}
				res, err = u.Upload(ctx, l.src)
				wg.Wait()
				return res, err
			},
			want: want{kinds: unavailable, tries: 4}},
	}
}
