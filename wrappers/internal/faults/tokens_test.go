package faults

import (
	"context"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/upload"
)

var here = []place{token}

// tokenServerInTrouble lists faults of the network to the token server. The
// tests of twentyfourseven cover the content of its answers.
func tokenServerInTrouble() []row {
	return []row{
		{name: "reset once", at: here, fault: first(1, reset), want: want{tries: 2, stored: true}},
		{name: "the secret in a line that is no status line", at: here, fault: raw(clientSecret + "\n\n"),
			want: want{kinds: unavailable, tries: 4}},
		{name: "the answer breaks off", at: here,
			fault: raw("HTTP/1.1 200 OK\nContent-Length: 500\n\n{\"access_token\":\"" + planted),
			want:  want{kinds: unavailable, status: 200, tries: 1}},
	}
}

// A caller's own token source gets no context. The call must end with its
// context all the same.
func TestForeignTokenSourceThatHangs(t *testing.T) {
	runAll(t, []row{{name: "until after the deadline", at: []place{fileUpload}, last: true,
		set: func(l *lab) {
			l.tokens = tokenFunc(func() (*oauth2.Token, error) {
				time.Sleep(60 * time.Millisecond)
				return &oauth2.Token{AccessToken: planted + "-late"}, nil
			})
		},
		call: func(ctx context.Context, l *lab, u upload.Uploader) (upload.Result, error) {
			ctx, stop := context.WithTimeout(ctx, 20*time.Millisecond)
			defer stop()
			return u.Upload(ctx, l.src)
		},
		want: want{kinds: kinds(context.DeadlineExceeded), tries: 1, reached: none}}})
}
