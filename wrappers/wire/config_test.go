package wire_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

func TestBaseURL(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", "https://default.example/v1"},
		{"https://host/api/v1-sgn", "https://host/api/v1-sgn"},
		{"https://host/api/v1-sgn/", "https://host/api/v1-sgn"},
		{"https://host/api/v1//", "https://host/api/v1"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"host/v1", ""},
		{"ftp://host/v1", ""},
		{"https:///v1", ""},
		{"https://:443/v1", ""},
		{"https://user:hunter2@host/v1", ""},
		{"https://host/v1?key=hunter2", ""},
		{"https://host/v1?", ""},
		{"https://host/v1#hunter2", ""},
		{"https://ho st/hunter2", ""},
		{"::", ""},
	} {
		d, err := wire.NewDoer(wire.API{Provider: "example", BaseURL: "https://default.example/v1"}, upload.Config{BaseURL: tt.in})
		switch {
		case tt.want == "":
			if !errors.Is(err, upload.ErrInvalid) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: error %v, want ErrInvalid without the secret", tt.in, err)
			}
		case err != nil || d.BaseURL != tt.want:
			t.Errorf("%q: %v, %v, want %q", tt.in, d, err, tt.want)
		}
	}
}

func TestHeaderThatWouldUndoTheRequestIsRefused(t *testing.T) {
	for name, ok := range map[string]bool{
		"X-Ncp-Lang": true, "x-ncp-lang": true, "Accept-Language": true,
		"Authorization": false, "authorization": false, "Content-Type": false, "content-length": false, "Content-MD5": false,
		"X-Signature": false, "x-signature": false, "Transfer-Encoding": false, "Host": false, "Expect": false, "bad name": false, "": false,
		"X-Käse": false, "X-\x7f": false, "X-\x00": false, "X:Y": false, "X~Y!": true,
	} {
		_, err := wire.NewDoer(wire.API{BaseURL: "https://host", Secret: []string{"X-Signature"}}, upload.Config{Header: http.Header{name: {"v"}}})
		if (err == nil) != ok || err != nil && !errors.Is(err, upload.ErrInvalid) {
			t.Errorf("%q: %v, want it accepted: %t", name, err, ok)
		}
	}
	for value, ok := range map[string]bool{"": true, "a\tb": true, "한": true, "a\r\nb": false, "\x00": false, "a\x7f": false} {
		_, err := wire.NewDoer(wire.API{BaseURL: "https://host"}, upload.Config{Header: http.Header{"X-A": {"fine", value}}})
		if (err == nil) != ok || err != nil && !errors.Is(err, upload.ErrInvalid) {
			t.Errorf("the value %q: %v, want it accepted: %t", value, err, ok)
		}
	}
}
