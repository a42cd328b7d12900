package faults

import (
	"context"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

// reads makes the call of the place that is tried.
func reads(id string) func(context.Context, *lab, upload.Uploader) (upload.Result, error) {
	return func(ctx context.Context, l *lab, u upload.Uploader) (res upload.Result, err error) {
		switch l.at {
		case status:
			var st twentyfourseven.Status
			st, err = u.(*twentyfourseven.Client).Status(ctx, id)
			res.ID, res.TraceID = st.FileID, st.TraceID
		case get:
			var b ncloudmailer.Batch
			b, err = u.(*ncloudmailer.Client).GetFile(ctx, id)
			res.ID, res.TraceID = b.TempRequestID, b.TraceID
		case remove:
			var b ncloudmailer.Batch
			b, err = u.(*ncloudmailer.Client).DeleteFile(ctx, id)
			res.ID, res.TraceID = b.TempRequestID, b.TraceID
		}
		return res, err
	}
}

// The calls that send no file: what becomes of a file, what there is of a
// batch, and its end.
func TestReadings(t *testing.T) {
	const id = "an-id"
	lost := want{kinds: unavailable, tries: 4}
	no := func(kind error, status int) want { return want{kinds: kinds(kind), status: status, tries: 1} }
	unusable := want{kinds: unavailable, status: 200, tries: 1}
	var rows []row
	for _, r := range []row{
		{name: "all is well"},
		{name: "reset in place of the answer, once", fault: first(1, done(reset)), want: want{tries: 2}},
		{name: "503, twice", fault: first(2, answer(503, "")), want: want{tries: 3}},
		{name: "429 for ever", fault: answer(429, "", "Retry-After", "9"), want: want{kinds: kinds(upload.ErrRateLimited), status: 429, tries: 4, after: 9e9}},
		{name: "403", fault: answer(403, "<html>"), want: no(upload.ErrForbidden, 403)},
		{name: "404", fault: answer(404, ""), want: no(upload.ErrNotFound, 404)},
		{name: "400", fault: answer(400, ""), want: no(upload.ErrInvalid, 400)},
		{name: "302 elsewhere", fault: redirect(302, "https://elsewhere.example/login?state="+planted), want: no(upload.ErrUnavailable, 302)},
		{name: "200 without a body", fault: answer(200, ""), want: unusable},
		{name: "200 in HTML", fault: answer(200, "<html>"), want: unusable},
		{name: "200 with null", fault: answer(200, "null"), want: unusable},
		{name: "200 with an empty object", fault: answer(200, "{}"), want: unusable},
		{name: "200 with wrong types", fault: answer(200, `{"fileId":{},"status":[],"documentId":"x","tempRequestId":1,"files":7}`), want: unusable},
		{name: "200 with an absurd documentId and no files", fault: answer(200, `{"fileId":"1","status":"Completed","documentId":1e99,"tempRequestId":"t","files":[{"fileSize":1e99}]}`), want: unusable},
		{name: "200 that breaks off", fault: raw("HTTP/1.1 200 OK\nTRACE\nContent-Length: 500\n\n{"), want: unusable},
		{name: "cancelled", fault: stop, want: want{kinds: kinds(context.Canceled), tries: 1}},
		{name: "cancelled while it waits to try again", fault: soon(answer(503, "", "Retry-After", "20")), set: waits,
			want: want{kinds: kinds(context.Canceled, upload.ErrUnavailable), status: 503, tries: 1, after: 20e9}},
	} {
		r.at, r.call = readings, reads(id)
		rows = append(rows, r)
	}
	rows = append(rows,
		row{name: "reset", at: []place{get, remove}, fault: reset, call: reads(id), want: lost},
		// The connection is the token call's: net/http itself asks once more there.
		row{name: "reset", at: []place{status}, fault: reset, call: reads(id), want: want{kinds: unavailable, tries: 4, reached: 5}})
	rows = append(rows, row{name: "401 once, and a new token", at: []place{status}, fault: first(1, answer(401, "")), call: reads(id), want: want{tries: 2}})
	for _, bad := range []string{"", ".", ".."} {
		rows = append(rows, row{name: "the id " + bad, at: readings, call: reads(bad), want: want{kinds: kinds(upload.ErrInvalid), reached: none}})
	}
	for _, odd := range []string{"a/b", "../x", "a b", "a?b=c", "a#b", "a%2Fb", "아이디", "a;b", "...", "a\r\nX-Injected: 1", "\x00", strings.Repeat("x", 5000)} {
		rows = append(rows, row{name: "the id " + odd[:min(20, len(odd))], at: readings, call: reads(odd),
			check: func(l *lab, res upload.Result, _ error) {
				if l.received(l.at) > 0 {
					equal(l, "the id that arrived", l.seen[l.at][0].PathValue("id"), odd)
				}
			}})
	}
	for i := range rows {
		check := rows[i].check
		rows[i].check = func(l *lab, res upload.Result, err error) {
			if err == nil && (res.ID == "" || res.TraceID != l.trace) {
				l.t.Errorf("the result is %+v", res)
			}
			if check != nil {
				check(l, res, err)
			}
		}
	}
	runAll(t, rows)
}
