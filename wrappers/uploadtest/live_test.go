package uploadtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// service is the reference as a real service: a base URL, and calls.
type service struct {
	rig
	spoil func(*Service)
	depot *lab.Depot // set by run
}

// run is a run of Live on the service.
func (s *service) run(t testing.TB) {
	s.depot = lab.NewDepot()
	var h http.Handler = s.depot
	if s.received != nil {
		h = s.received(h)
	}
	ts := httptest.NewServer(h)
	t.Cleanup(ts.Close)
	base := ts.URL + "/v2"
	Live(t, base, lab.DepotSpec, func(hc *http.Client) Service {
		client := func(key string) upload.Uploader {
			return &depotClient{base: base, form: s.form, http: hc, key: func() string { return key }}
		}
		live := Service{
			Uploader: client(lab.DepotKey),
			Stranger: client("another-key"),
			Find:     s.call(hc, "GET", base, true),
			Unknown:  upload.Result{ID: "o-0"},
			Delete:   s.call(hc, "DELETE", base, false),
			Secrets:  []string{lab.DepotKey, "another-key"},
		}
		if s.client != nil {
			live.Uploader = s.client(live.Uploader)
		}
		if s.spoil != nil {
			s.spoil(&live)
		}
		return live
	})
}

func (s *service) call(hc *http.Client, method, base string, compare bool) func(context.Context, upload.Result) error {
	return func(ctx context.Context, res upload.Result) error {
		c := &depotClient{base: base, http: hc}
		var answer depotAnswer
		err := c.do(ctx, method, method, base+"/objects/"+res.ID, "", nil, &answer)
		if err == nil && compare && (answer.Name != res.Name || answer.Size != res.Size) {
			err = errors.New("the answer names another file")
		}
		return err
	}
}

func TestLiveLeavesNothingThatCanBeDeleted(t *testing.T) {
	s := &service{rig: rig{form: true}}
	s.run(t)
	if n := s.depot.Count(); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

func TestLiveSaysBeforehandWhatItUploads(t *testing.T) {
	l := &lab.Logged{TB: t}
	var first atomic.Bool
	s := &service{rig: rig{form: true,
		received: faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if want := "uploads 5 files of 65880 bytes in all to " + r.Host +
				" and deletes them afterwards: invoice.pdf (317 bytes), test.txt (16 bytes), "; !first.Swap(true) &&
				!strings.HasPrefix(l.Text.String(), want) {
				t.Errorf("the log does not begin with %q when the first request comes: %s", want, l.Text.String())
			}
			next.ServeHTTP(w, r)
		})}}
	s.run(l)
	if !strings.HasSuffix(l.Text.String(), "\ndeleted 5 of 5 uploads\n") {
		t.Errorf("the log ends otherwise: %s", l.Text.String())
	}
}

func TestLiveSaysWhatStays(t *testing.T) {
	l := &lab.Logged{TB: t}
	s := &service{rig: rig{form: true}, spoil: func(s *Service) { s.Delete = nil }}
	s.run(l)
	if !strings.Contains(l.Text.String(), "leaves them there, since the API has no call that deletes them") {
		t.Errorf("the log does not say it beforehand: %s", l.Text.String())
	}
	for id := range s.depot.Objects {
		if !strings.Contains(l.Text.String(), " under the id "+id+"\n") {
			t.Errorf("the log does not have the id %s: %s", id, l.Text.String())
		}
	}
	if n := s.depot.Count(); n != 5 {
		t.Errorf("%d files are left, and 5 were uploaded", n)
	}
}

func TestLiveDeletesWhatFailed(t *testing.T) {
	s := &service{rig: rig{form: true, client: result(func(r *upload.Result) { r.Size++ })}}
	lines := lab.Recorded(t, s.run)
	lab.Named(t, lines, "upload of invoice.pdf: result: Size is 318, but 317 bytes were handed over")
	if n := s.depot.Count(); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

func TestLiveWithNothingButAClient(t *testing.T) {
	s := &service{spoil: func(s *Service) { *s = Service{Uploader: s.Uploader} }}
	s.run(t)
}

func TestLiveStopsWhereItIsNotWelcome(t *testing.T) {
	var asked atomic.Int32
	s := &service{rig: rig{form: true, received: faulty.Reply("/v2/", func(rec *httptest.ResponseRecorder) {
		if asked.Add(1) == 3 {
			*rec = *httptest.NewRecorder()
			rec.Code = 401
		}
	})}}
	lab.Named(t, lab.Recorded(t, s.run), `upload of 청구서 "9월" 100%.txt: depot: submit: `)
	if n := asked.Load(); n != 3+2*3 { // each of two is deleted, deleted again and looked for
		t.Errorf("%d requests came", n)
	}
	if n := s.depot.Count(); n != 1 { // the third, whose answer was replaced
		t.Errorf("%d files are left", n)
	}
}

func TestLiveNamesEachFault(t *testing.T) {
	t.Parallel()
	known := func(context.Context, upload.Result) error { return nil }
	for _, c := range []struct {
		fault string
		s     service
		want  string
	}{
		{"no client", service{spoil: func(s *Service) { s.Uploader = nil }}, "the service has no Uploader"},
		{"another name", service{rig: rig{form: true, received: faulty.Reply("/forms",
			faulty.Said("invoice.pdf", "invoice"))}},
			`upload of invoice.pdf: result: Name is "invoice", want "invoice.pdf"`},
		{"a refusal", service{rig: rig{form: true,
			received: faulty.Reply("/forms", func(rec *httptest.ResponseRecorder) {
				rec.Code = 415
				rec.Body.Reset()
			})}},
			"upload of empty.txt: "},
		{"one id for all", service{rig: rig{form: true, client: result(func(r *upload.Result) { r.ID = "o-1" })}},
			`another upload has the ID "o-1" too`},
		{"progress that ends early", service{rig: rig{form: true, client: input(func(src *upload.Source) {
			src.Open = func() (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader(strings.Repeat("x", int(src.Size)))), nil
			}
		})}}, "progress: the source was never opened"},
		{"a file that is not found", service{rig: rig{form: true,
			received: faulty.Arrival("/objects/o-", func(r *http.Request) {
				r.URL.Path = "/v2/objects/other"
				r.Method = "GET"
			})}},
			"finding stream.bin: "},
		{"everything is found", service{rig: rig{form: true}, spoil: func(s *Service) { s.Find = known }},
			`finding an unknown id: error: none, want`},
		{"deleted files are found", service{rig: rig{form: true}, spoil: func(s *Service) {
			find := s.Find
			s.Find = func(ctx context.Context, res upload.Result) error {
				if res.ID != "o-0" {
					return nil
				}
				return find(ctx, res)
			}
		}}, `finding invoice.pdf, which is deleted,: error: none`},
		{"what cannot be deleted", service{rig: rig{form: true}, spoil: func(s *Service) {
			s.Delete = func(context.Context, upload.Result) error { return errors.New("not today") }
		}}, `deleting invoice.pdf, which may stay under the id o-`},
		{"deleting twice", service{rig: rig{form: true}, spoil: func(s *Service) { s.Delete = known }},
			"deleting invoice.pdf again: error: none"},
		{"everybody may upload", service{rig: rig{form: true,
			received: faulty.Arrival("/forms", faulty.Header("X-Depot-Key", lab.DepotKey))}},
			"wrong credentials: error: none"},
		{"a refusal of another kind", service{rig: rig{form: true}, spoil: func(s *Service) {
			s.Stranger = misstated(func(e *upload.Error) { e.Err = upload.ErrForbidden })(s.Stranger)
		}}, "wrong credentials: error: not of the kind"},
		{"a secret in an error", service{rig: rig{form: true}, spoil: func(s *Service) {
			s.Stranger = misstated(func(e *upload.Error) { e.Message = "another-key is no key" })(s.Stranger)
		}}, "wrong credentials: secrets: "},
		{"a client that prints a secret", service{rig: rig{form: true,
			client: func(u upload.Uploader) upload.Uploader { return talkative{u, lab.DepotKey} }}},
			"the client: secrets: "},
		{"an answer that breaks the spec", service{rig: rig{form: true,
			received: faulty.Reply("/forms", func(rec *httptest.ResponseRecorder) {
				rec.Header().Del("X-Depot-Left")
			})}},
			"Depot: submit: response header: status 201: "},
		{"a presigned request that breaks the rules", service{rig: rig{client: func(u upload.Uploader) upload.Uploader {
			c := u.(*depotClient)
			c.http.Transport = faulty.RequestTo("/store/", faulty.Header("X-Depot-Key", lab.DepotKey))(c.http.Transport)
			return u
		}}, spoil: func(s *Service) { s.Find, s.Delete = nil, nil }},
			"Depot: presigned: presigned credentials: header X-Depot-Key"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			lab.Named(t, lab.Recorded(t, c.s.run), c.want)
		})
	}
}

func TestLiveReportsABrokenRuleOnce(t *testing.T) {
	var asked atomic.Int32
	s := service{rig: rig{form: true, received: faulty.Reply("/forms", func(rec *httptest.ResponseRecorder) {
		asked.Add(1)
		rec.Header().Del("X-Depot-Left")
	})}, spoil: func(s *Service) { s.Stranger = nil }}
	if lines := lab.Recorded(t, s.run); len(lines) != 1 || asked.Load() != 5 {
		t.Errorf("%d answers without a header gave %d lines: %q", asked.Load(), len(lines), lines)
	}
}
