package twentyfourseven_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
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

const (
	pending   = `{"status":"Pending"}`
	completed = `{"status":"Completed"}`
	document7 = `{"fileId":"id-1","status":"Completed","documentId":7}`
)

func TestWait(t *testing.T) {
	const s, m, h = time.Second, time.Minute, time.Hour
	for _, tc := range []struct {
		name     string
		polls    []string // bodies of the answers in turn, or statuses; the last one is the answer for ever
		limit    time.Duration
		kind     error // nil: the document is there
		not      error
		says     string
		min, max time.Duration
		asked    [2]int
		retry    upload.Retry
	}{
		{name: "ends with the document, whatever else the status says", asked: [2]int{8, 8}, max: h,
			polls: []string{pending, `{"status":"Scanning"}`, `{"status":"처리 중"}`, `{"status":"Processing, 0 errors"}`,
				`{"status":"Retrying after error"}`, `{"status":"NotReady"}`, completed, document7}},
		{name: "goes by the document", polls: []string{`{"status":"Archived","documentId":7}`}, asked: [2]int{1, 1}},
		{name: "bears with an id that is not known yet", polls: []string{"404", "404", document7}, max: m},
		{name: "ends for an id that is never known", polls: []string{"404"}, kind: upload.ErrNotFound,
			min: 10 * s, max: 12 * s}, // the last pause may be one of 2 s
		{name: "ends for an id that was known and is gone", polls: []string{pending, "404"},
			kind: upload.ErrNotFound, max: s},
		{name: "ends if a completed upload has no document", polls: []string{completed, pending, completed},
			kind: twentyfourseven.ErrFailed, says: "without a documentId", min: 10 * s, max: m},
		{name: "begins the ten seconds again if the status goes back", max: h,
			polls: slices.Concat([]string{completed}, slices.Repeat([]string{pending}, 20),
				[]string{completed, document7})},
		{name: "ends without a deadline", polls: []string{pending}, kind: upload.ErrUnavailable, says: "deadline",
			not: context.DeadlineExceeded, min: h, max: h + m},
		// With waits of up to 30 s there are 480 polls on average.
		{name: "ends with its context", polls: []string{pending}, limit: 2 * h, kind: context.DeadlineExceeded,
			not: twentyfourseven.ErrFailed, says: "Pending", min: 2 * h, max: 2 * h, asked: [2]int{240, 1000}},
		{name: "hears its context between two polls", polls: []string{pending}, limit: 12345 * time.Millisecond,
			kind: context.DeadlineExceeded, min: 12345 * time.Millisecond, max: 12345 * time.Millisecond},
		{name: "polls no slower than MaxWait", polls: []string{pending}, limit: 10 * m, kind: context.DeadlineExceeded,
			min: 10 * m, max: 10 * m, asked: [2]int{200, 1000}, retry: upload.Retry{MaxWait: 3 * s}},
		{name: "survives what Status survives", polls: []string{pending, pending, "503", "503", "503", document7},
			max: h},
		{name: "ends where Status fails", polls: []string{pending, "503"}, kind: upload.ErrUnavailable,
			says: "4 attempts", max: m, asked: [2]int{5, 5}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice()
				client := o.client(t, static, o.bubble(), func(cfg *upload.Config) { cfg.Retry = tc.retry })
				o.status = func(w http.ResponseWriter, r *http.Request) {
					poll := tc.polls[min(o.count("getFileUploadStatus"), len(tc.polls))-1]
					if status, err := strconv.Atoi(poll); err == nil {
						says(status, "")(w, r)
						return
					}
					says(http.StatusOK, poll)(w, r)
				}
				ctx := context.WithoutCancel(t.Context())
				if tc.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tc.limit)
					defer cancel()
				}
				began := time.Now()
				st, err := client.Wait(ctx, "id-1")
				if took := time.Since(began); took < tc.min || took > tc.max {
					t.Errorf("it took %s, want %s to %s", took, tc.min, tc.max)
				}
				if n := o.count("getFileUploadStatus"); tc.asked[1] > 0 && (n < tc.asked[0] || n > tc.asked[1]) {
					t.Errorf("asked %d times, want %d to %d", n, tc.asked[0], tc.asked[1])
				}
				if tc.kind == nil {
					if err != nil || st.FileID != "id-1" || st.DocumentID != 7 || st.TraceID != "trace-1" {
						t.Errorf("%+v, %v", st, err)
					}
					return
				}
				if f := failure(t, err); !errors.Is(f, tc.kind) || tc.not != nil && errors.Is(f, tc.not) ||
					!strings.Contains(f.Error(), tc.says) || f.Op != "getFileUploadStatus" || f.TraceID != "trace-1" {
					t.Errorf("%v, want %v that says %q", f, tc.kind, tc.says)
				}
				if last := tc.polls[len(tc.polls)-1]; strings.Contains(last, "{") &&
					!strings.Contains(last, st.Status) ||
					st.Status == "" && strings.Contains(last, "{") {
					t.Errorf("%+v, want the last status beside the error", st)
				}
			})
		})
	}
}

func TestWaitEndsWhereTheProviderGaveUp(t *testing.T) {
	for _, word := range []string{"Failed", "FAILED", "failure", "Fail: virus found", "Rejected", "Cancelled",
		"canceled", " error", "Expired", "TimedOut", "timed_out", "Processing failed", "UploadFailed",
		"VALIDATION-ERROR", "Virus detected", "NotFound"} {
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
