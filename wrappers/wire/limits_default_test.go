package wire

import (
	"net/http"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// A transport's own limit takes the place of the default, not of a setting.
func TestAnswerTimeoutOfTheTransportTakesThePlaceOfTheDefault(t *testing.T) {
	for _, tt := range []struct{ set, own, want time.Duration }{
		{0, 0, time.Minute}, {0, 1, 0}, {2, 0, 2}, {2, 1, 2}, {-1, 0, 0},
	} {
		tr := upload.NewTransport()
		tr.ResponseHeaderTimeout = tt.own
		d, err := NewDoer(API{Provider: "example", BaseURL: "https://h/v1"},
			upload.Config{AnswerTimeout: tt.set, HTTPClient: &http.Client{Transport: tr}})
		if err != nil || d.answerTimeout != tt.want {
			t.Errorf("%v set, %v of the transport's own: %v, %v; want %v", tt.set, tt.own,
				d.answerTimeout, err, tt.want)
		}
	}
}
