package twentyfourseven_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

// statuses answers with each of bodies in turn, and then always with the last
// one.
func (o *office) statuses(bodies ...string) {
	o.status = func(w http.ResponseWriter, r *http.Request) {
		says(http.StatusOK, bodies[min(o.count("getFileUploadStatus"), len(bodies))-1])(w, r)
	}
}

// The server may not know a new id at once.
func TestWaitBearsWithAnIDThatIsNotKnownYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		client := o.client(t, static, o.bubble(t), patient)
		sound := o.status
		o.status = func(w http.ResponseWriter, r *http.Request) {
			if o.count("getFileUploadStatus") < 3 {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			sound(w, r)
		}
		if st, err := client.Wait(t.Context(), "id-1"); err != nil || st.DocumentID != 12345 {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

func TestWaitForAnUnknownIDEnds(t *testing.T) {
	for name, answers := range map[string][]int{"never known": {404}, "known, and gone": {200, 404}} {
		synctest.Test(t, func(t *testing.T) {
			o := newOffice()
			client := o.client(t, static, o.bubble(t), patient)
			o.status = func(w http.ResponseWriter, r *http.Request) {
				says(answers[min(o.count("getFileUploadStatus"), len(answers))-1], `{"status":"Pending"}`)(w, r)
			}
			began := time.Now()
			_, err := client.Wait(t.Context(), "id-1")
			if !errors.Is(err, upload.ErrNotFound) {
				t.Errorf("%s: %v, want upload.ErrNotFound", name, err)
			}
			// The last pause may be one of 2 s.
			if took := time.Since(began); took > 12*time.Second || len(answers) == 1 && took < 10*time.Second ||
				len(answers) == 2 && took > time.Second {
				t.Errorf("%s: it took %s", name, took)
			}
		})
	}
}

func TestWaitEndsWhereACompletedUploadHasNoDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		client := o.client(t, static, o.bubble(t), patient)
		o.statuses(`{"status":"Completed"}`, `{"status":"Pending"}`, `{"status":"Completed"}`)
		began := time.Now()
		st, err := client.Wait(t.Context(), "id-1")
		if !errors.Is(err, twentyfourseven.ErrFailed) || st.Status != "Completed" ||
			!strings.Contains(err.Error(), "without a documentId") {
			t.Errorf("%+v, %v, want twentyfourseven.ErrFailed", st, err)
		}
		if took := time.Since(began); took < 10*time.Second || took > time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}

// If the status goes back, the ten seconds begin again.
func TestWaitBearsWithACompletedUploadThatIsPendingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		client := o.client(t, static, o.bubble(t), patient)
		bodies := []string{`{"status":"Completed"}`}
		for range 20 { // minutes
			bodies = append(bodies, `{"status":"Pending"}`)
		}
		o.statuses(append(bodies, `{"status":"Completed"}`, `{"status":"Completed","documentId":12345}`)...)
		if st, err := client.Wait(t.Context(), "id-1"); err != nil || st.DocumentID != 12345 {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

func TestWaitWithoutADeadlineEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		client := o.client(t, static, o.bubble(t), patient)
		o.statuses(`{"status":"Pending"}`)
		began := time.Now()
		_, err := client.Wait(context.WithoutCancel(t.Context()), "id-1")
		if f := failure(t, err); !errors.Is(f, upload.ErrUnavailable) || errors.Is(f, context.DeadlineExceeded) ||
			!strings.Contains(f.Error(), "deadline") {
			t.Errorf("%v, want upload.ErrUnavailable that says how to set the limit", err)
		}
		if took := time.Since(began); took < time.Hour || took > time.Hour+time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}

// patient sets the waits of the zero Config.
func patient(cfg *upload.Config) { cfg.Retry = upload.Retry{} }

func TestWaitEndsWithTheDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		client := o.client(t, static, o.bubble(t), patient)
		o.statuses(`{"status":"Pending"}`, `{"status":"Scanning"}`, `{"status":"처리 중"}`, `{"status":"Processing, 0 errors"}`,
			`{"status":"Retrying after error"}`, `{"status":"NotReady"}`, `{"status":"Completed"}`,
			`{"fileId":"id-1","status":"Completed","documentId":12345}`)
		st, err := client.Wait(t.Context(), "id-1")
		if want := (twentyfourseven.Status{FileID: "id-1", Status: "Completed", DocumentID: 12345,
			TraceID: "trace-1"}); err != nil || st != want {
			t.Errorf("got %+v, %v, want %+v", st, err, want)
		}
		if n := o.count("getFileUploadStatus"); n != 8 {
			t.Errorf("asked %d times, want 8", n)
		}
	})
}

// If there is a documentId, the document is there, whatever the status says.
func TestWaitGoesByTheDocument(t *testing.T) {
	o := newOffice()
	client := o.simple(t)
	o.statuses(`{"status":"Archived","documentId":7}`)
	if st, err := client.Wait(t.Context(), "1"); err != nil || st.DocumentID != 7 {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestWaitEndsWhereTheProviderGaveUp(t *testing.T) {
	for _, word := range []string{"Failed", "FAILED", "failure", "Fail: virus found", "Rejected", "Cancelled",
		"canceled", " error", "Expired", "TimedOut", "timed_out", "Processing failed", "UploadFailed", "VALIDATION-ERROR",
		"Virus detected", "NotFound"} {
		o := newOffice()
		client := o.simple(t)
		o.statuses(`{"status":"Pending"}`, fmt.Sprintf(`{"fileId":67890,"status":%q}`, word))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // it would poll for ever
		defer cancel()
		st, err := client.Wait(ctx, "67890")
		f := failure(t, err)
		if !errors.Is(f, twentyfourseven.ErrFailed) || f.Op != "getFileUploadStatus" || f.TraceID != "trace-1" ||
			!strings.Contains(f.Error(), word) || !strings.Contains(f.Error(), "67890") {
			t.Errorf("%q: %v, want twentyfourseven.ErrFailed that names id and status", word, f)
		}
		if st.Status != word {
			t.Errorf("%q: %+v, want the last status beside the error", word, st)
		}
		if n := o.count("getFileUploadStatus"); n != 2 {
			t.Errorf("%q: asked %d times, want 2", word, n)
		}
	}
}

func TestWaitThatNeverCompletesEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		client := o.client(t, static, o.bubble(t), patient)
		o.statuses(`{"status":"Pending"}`)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour) // more than without a deadline
		defer cancel()
		begin := time.Now()
		st, err := client.Wait(ctx, "id-1")
		f := failure(t, err)
		if !errors.Is(f, context.DeadlineExceeded) || errors.Is(f, twentyfourseven.ErrFailed) ||
			!strings.Contains(f.Error(), "Pending") || f.TraceID != "trace-1" {
			t.Errorf("%v, want context.DeadlineExceeded that tells of the status", f)
		}
		if took := time.Since(begin); took != 2*time.Hour || st.Status != "Pending" {
			t.Errorf("%+v after %v", st, took)
		}
		// With waits of up to 30 s there are 480 polls on average.
		if n := o.count("getFileUploadStatus"); n < 240 || n > 1000 {
			t.Errorf("asked %d times in two hours", n)
		}
	})
}

func TestWaitHearsACancellationBetweenTwoPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		client := o.client(t, static, o.bubble(t), patient)
		o.statuses(`{"status":"Pending"}`)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(12345*time.Millisecond, cancel)
		begin := time.Now()
		if _, err := client.Wait(ctx, "id-1"); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want context.Canceled", err)
		}
		if took := time.Since(begin); took != 12345*time.Millisecond {
			t.Errorf("returned after %v", took)
		}
	})
}

func TestWaitPollsNoSlowerThanMaxWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		client := o.client(t, static, o.bubble(t),
			func(cfg *upload.Config) { cfg.Retry = upload.Retry{Attempts: 1, MaxWait: 3 * time.Second} })
		var last time.Time
		o.status = func(w http.ResponseWriter, r *http.Request) {
			if now := time.Now(); !last.IsZero() && now.Sub(last) > 3*time.Second {
				t.Errorf("%v between two polls", now.Sub(last))
			}
			last = time.Now()
			io.WriteString(w, `{"status":"Pending"}`)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		client.Wait(ctx, "id-1")
		if n := o.count("getFileUploadStatus"); n < 200 {
			t.Errorf("asked %d times in 10 minutes", n)
		}
	})
}

func TestWaitSurvivesWhatStatusSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		client := o.client(t, static, o.bubble(t), patient)
		sound := o.status
		o.status = func(w http.ResponseWriter, r *http.Request) {
			switch n := o.count("getFileUploadStatus"); {
			case n < 3:
				io.WriteString(w, `{"status":"Pending"}`)
			case n < 6:
				w.WriteHeader(http.StatusServiceUnavailable)
			default:
				sound(w, r)
			}
		}
		if st, err := client.Wait(t.Context(), "id-1"); err != nil || st.DocumentID != 12345 {
			t.Errorf("%+v, %v", st, err)
		}
		o.status = says(http.StatusServiceUnavailable, "")
		_, err := client.Wait(t.Context(), "id-1")
		if f := failure(t, err); !errors.Is(f, upload.ErrUnavailable) || f.Attempts != 4 {
			t.Errorf("%+v, want the 503 after four attempts", f)
		}
	})
}
