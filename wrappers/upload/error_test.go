package upload_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

func TestErrorIsOneLineOfWhatIsKnown(t *testing.T) {
	for _, tc := range []struct {
		err  upload.Error
		want string
	}{
		{upload.Error{}, "failed"},
		{upload.Error{Provider: "p", Op: "op", Err: upload.ErrForbidden}, "p: op: not permitted"},
		{upload.Error{Provider: "p", Err: upload.ErrInvalid, Attempts: 1}, "p: invalid"},
		{
			upload.Error{
				Provider: "ncloudmailer", Op: "createFile", Status: 429, Code: "410", Message: "Throttle Limited",
				TraceID: "t-1", Attempts: 4, RetryAfter: 2 * time.Second, Err: upload.ErrRateLimited,
			},
			"ncloudmailer: createFile: rate limited: Throttle Limited" +
				" (status 429 Too Many Requests, code 410, trace id t-1, 4 attempts, retry after 2s)",
		},
		{upload.Error{Provider: "p", Op: "op", Status: 799, Err: upload.ErrUnavailable},
			"p: op: unavailable (status 799)"},
	} {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}

func TestErrorAnswersForItsKindAndItsCause(t *testing.T) {
	err := fmt.Errorf("batch: %w", &upload.Error{
		Provider: "p", Op: "op", Status: 503,
		Err: fmt.Errorf("%w while waiting after: %w", context.Canceled, upload.ErrUnavailable),
	})
	if !errors.Is(err, upload.ErrUnavailable) || !errors.Is(err, context.Canceled) ||
		errors.Is(err, upload.ErrInvalid) {
		t.Errorf("errors.Is does not see what is in %q", err)
	}
	var f *upload.Error
	if !errors.As(err, &f) || f.Status != 503 {
		t.Errorf("errors.As found %v", f)
	}
}

// A switch over the kinds must take one branch.
func TestKindsAreDifferent(t *testing.T) {
	kinds := []error{
		upload.ErrInvalid, upload.ErrUnauthorized, upload.ErrForbidden, upload.ErrNotFound, upload.ErrTooLarge,
		upload.ErrRateLimited, upload.ErrUnavailable, upload.ErrExpired, upload.ErrNotReplayable,
	}
	for i, kind := range kinds {
		for j, other := range kinds {
			if errors.Is(kind, other) != (i == j) {
				t.Errorf("errors.Is(%v, %v) = %t", kind, other, i != j)
			}
		}
		if text := kind.Error(); text != strings.TrimSpace(text) || strings.ContainsAny(text, "\n:") {
			t.Errorf("the kind %q does not fit into a line", text)
		}
	}
}
