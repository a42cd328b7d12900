package uploadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// bare is the shortest client of net/http: one request, and no second attempt.
func bare(base string, change func(*http.Request)) func(context.Context, upload.Source) (*http.Response, error) {
	return func(ctx context.Context, src upload.Source) (*http.Response, error) {
		name := upload.BaseName(src.Name)
		if name == "" {
			return nil, errors.New("no name")
		}
		body, err := src.Open()
		if err != nil {
			return nil, err
		}
		defer body.Close() // as net/http does
		if src.Size == 0 {
			if n, err := io.Copy(io.Discard, body); err != nil || n > 0 {
				return nil, errors.New("the file is not empty")
			}
			body = http.NoBody
		}
		req, err := http.NewRequestWithContext(ctx, "POST", base+"/raw?name="+url.QueryEscape(name), body)
		if err != nil {
			return nil, err
		}
		if req.ContentLength = src.Size; src.ContentType == "" {
			src.ContentType = upload.OctetStream
		}
		req.Header.Set("Content-Type", src.ContentType)
		req.Header.Set("X-Depot-Key", lab.DepotKey)
		change(req)
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}
		return client.Do(req)
	}
}

func bareSubject(t testing.TB, change func(*http.Request),
	adapt func(upload.Uploader) upload.Uploader) Subject {
	d := lab.NewDepot()
	srv := Serve(t, d, lab.DepotSpec)
	return Subject{Uploader: adapt(Call(bare(srv.BaseURL, change))), Server: srv, Stored: d.Stored, Count: d.Count,
		Secrets: []string{lab.DepotKey}}
}

func asCall(u upload.Uploader) upload.Uploader { return u }

// hold checks the property of a name.
func hold(t testing.TB, name string, setup func(testing.TB) Subject) {
	for _, p := range properties {
		if p.name == name {
			p.hold(begin(t, setup))
			return
		}
	}
	t.Errorf("no property is called %q", name)
}

// picky refuses some answers.
func picky(refuses func(http.Header, []byte) bool) func(upload.Uploader) upload.Uploader {
	return func(u upload.Uploader) upload.Uploader {
		return Call(func(ctx context.Context, src upload.Source) (*http.Response, error) {
			resp, err := u.(Call)(ctx, src)
			if err != nil {
				return nil, err
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
			if resp.Body = io.NopCloser(bytes.NewReader(b)); refuses(resp.Header, b) {
				resp.StatusCode = 500
			}
			return resp, err
		})
	}
}

func same(*http.Request) {}

func TestAPlainClientIsHeldToWhatItSays(t *testing.T) {
	t.Parallel()
	for name, adapt := range map[string]func(upload.Uploader) upload.Uploader{"a call": asCall, "a function": plain,
		"a parser that looks for small letters": picky(func(h http.Header, _ []byte) bool {
			return strings.HasPrefix(h.Get("Content-Type"), "Application/JSON")
		})} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			Run(t, func(t testing.TB) Subject { return bareSubject(t, same, adapt) })
		})
	}
}

func TestTheKitNamesFaultsOfPlainClients(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault          string
		change         func(*http.Request)
		adapt          func(upload.Uploader) upload.Uploader
		property, want string
	}{
		{"a changed byte", func(r *http.Request) {
			if r.ContentLength > 1000 {
				faulty.Rewrite(r, func(b []byte) []byte { return append(b[:len(b)-1:len(b)-1], b[len(b)-1]^1) })
			}
		}, asCall, "bytes arrive unchanged", "16384 bytes: stored: 16384 bytes, 16384 were sent"},
		{"another name", func(r *http.Request) { r.URL.RawQuery = "name=x" }, asCall,
			"names arrive without directories", `wire: the name is "x", want "plain.txt"`},
		{"a second attempt sends something else", same, plainly(uploads(func(c call) (upload.Result, error) {
			res, err := c.send()
			if err != nil {
				c.src = upload.Bytes(c.src.Name, []byte("rest"))
				return c.send()
			}
			return res, err
		})), "a passing fault is survived",
			"deposit connection reset before the body: stored: 4 bytes, 204800 were sent"},
		{"errors are swallowed", same, plainly(deaf), "answers are errors of their kind",
			"deposit answered 400 without JSON: error: none"},
		{"white space before JSON is none", same, picky(func(_ http.Header, b []byte) bool {
			return bytes.HasPrefix(b, []byte("\r"))
		}), "answers may be written in other ways", "deposit answered with white space around it: upload: status 500"},
		{"an answer that says nothing counts", same, plainly(deaf), "answers that cannot be used",
			"deposit answered 202 and an error: error: none"},
		{"a source that is too short or too long counts", same, plainly(deaf), "a source that is not its size",
			"so in 3 more cases: a source of 0 bytes with the size 65536, a source of 0 bytes with the size 1, " +
				"a source of 1 bytes with the size 0"},
		{"a source that cannot be opened counts", same, plainly(deaf), "a source that fails",
			"error: none, want one of the kind ...: so in one more case: a source that cannot be opened"},
		{"an error of the wrong kind", same, plainly(wrongly(upload.ErrTooLarge)), "answers are errors of their kind",
			`deposit answered 400 without JSON: error: of the kind "too large", want "invalid"`},
		{"the secret stands in an error", same, plainly(wrongly(errors.New("key " + lab.DepotKey))),
			"answers are errors of their kind", "shows a credential"},
		{"the context is not looked at", same, plainly(onAndOn), "a canceled context",
			"a context that is canceled already: error: none"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			lab.Named(t, lab.Recorded(t, func(tb testing.TB) {
				hold(tb, c.property, func(tb testing.TB) Subject { return bareSubject(tb, c.change, c.adapt) })
			}), c.want)
		})
	}
}

// Only the answer that says the id first has to have one.
func TestAClientNeedNotReadAnIDThatItKnows(t *testing.T) {
	looking := func(t testing.TB) Subject {
		s := bareSubject(t, same, asCall)
		sender := s.Uploader
		s.Uploader = Func(func(ctx context.Context, src upload.Source) (string, error) {
			res, err := sender.Upload(ctx, src)
			if err != nil {
				return "", err
			}
			req, err := http.NewRequestWithContext(ctx, "GET", s.Server.BaseURL+"/objects/"+res.ID, nil)
			if err != nil {
				return "", err
			}
			req.Header.Set("X-Depot-Key", lab.DepotKey)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return "", err
			}
			defer resp.Body.Close()
			var said lab.Object
			if err := json.NewDecoder(resp.Body).Decode(&said); err != nil || resp.StatusCode != 200 ||
				said.Name == "" {
				return "", fmt.Errorf("status %d: %v", resp.StatusCode, err)
			}
			return res.ID, nil
		})
		return s
	}
	hold(t, "answers that cannot be used", looking)
}

// A check that looked at nothing must not pass for one that did.
func TestAPropertyThatSawNothingSaysSo(t *testing.T) {
	l := &lab.Logged{TB: &lab.Recorder{TB: t}}
	Run(l, func(t testing.TB) Subject {
		return Subject{Uploader: Func(func(_ context.Context, src upload.Source) (string, error) {
			rc, err := src.Open()
			if err != nil {
				return "", err
			}
			defer rc.Close()
			b, err := io.ReadAll(rc)
			if err == nil && int64(len(b)) != src.Size {
				err = errors.New("not its size")
			}
			return "", err
		})}
	})
	for _, want := range []string{
		"bytes arrive unchanged: skipped: the subject has neither Stored nor a Server that the file goes to",
		"names arrive without directories: skipped: neither the client's results nor the requests",
		"a passing fault is survived: skipped: nothing was sent a second time, or the subject has no Server",
		"any 2xx of the presigned step is success: skipped: no answer handed out a URL for the file",
	} {
		if !strings.Contains(l.Text.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, &l.Text)
		}
	}
}

func TestAPropertySaysWhyItIsSkipped(t *testing.T) {
	for want, r := range map[string]rig{
		"bytes arrive unchanged: skipped: an upload did not come out right": {
			client: uploads(func(call) (res upload.Result, err error) { return res, nil })},
		"credentials are fresh in each attempt: skipped: no request was sent a second time in one upload": {
			raw: true, sent: dating(time.RFC3339Nano), client: stingy(503)},
	} {
		l := &lab.Logged{TB: &lab.Recorder{TB: t}}
		name, _, _ := strings.Cut(want, ":")
		hold(l, name, r.setup)
		if !strings.Contains(l.Text.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, &l.Text)
		}
	}
}

func TestAFaultThatIsTakenBackIsNotMet(t *testing.T) {
	lines := lab.Recorded(t, func(tb testing.TB) {
		srv := Serve(tb, lab.NewDepot(), lab.DepotSpec)
		srv.Inject("deposit", -1, ResetBefore).Remove()
		srv.Inject("remove", 1, ResetBefore)
		srv.Inject("lock", 1, ResetBefore)
		client := &depotClient{base: srv.BaseURL, raw: true, http: &http.Client{}}
		if _, err := client.Upload(t.Context(), upload.Bytes("a.txt", []byte("a"))); err != nil {
			t.Error(err)
		}
		srv.Unmet()
	})
	lab.Named(t, lines, "uploadtest: no request met the fault that was injected (remove, adapter_test.go:")
	lab.Named(t, lines, `uploadtest: Inject: no operation is called "lock"; the operations are announce, deposit,`)
	if len(lines) != 2 {
		t.Errorf("%d lines: %q", len(lines), lines)
	}
}

func TestAScopeSaysWhereTheOperationsAreAndWhatElsePasses(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/proxy/", http.StripPrefix("/proxy", lab.NewDepot()))
	mux.HandleFunc("GET /other", func(http.ResponseWriter, *http.Request) {})
	srv := Serve(t, mux, lab.DepotSpec, Scope{BasePath: "/proxy/v2", OthersPass: true})
	client := &depotClient{base: srv.BaseURL, form: true, http: &http.Client{}}
	if _, err := client.Upload(t.Context(), upload.Bytes("a.txt", []byte("a"))); err != nil {
		t.Error(err)
	}
	post(t, "GET", srv.URL+"/other", "", nil)
	if got := opsOf(srv.Requests()); len(got) != 1 || got[0] != "submit" || len(srv.Requests()) != 2 {
		t.Errorf("operations %v in %d requests", got, len(srv.Requests()))
	}
	check, lines := reporting()
	check.Scope.OthersPass = true
	resp, err := (&http.Client{Transport: check}).Post(srv.URL+"/other", "text/plain", bytes.NewReader([]byte("x")))
	if err != nil || len(*lines) > 0 {
		t.Errorf("%v, %q", err, *lines)
	}
	resp.Body.Close()
}
