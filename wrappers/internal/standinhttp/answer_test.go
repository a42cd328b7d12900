package standinhttp_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

func TestAnswersSayTheirLength(t *testing.T) {
	w := httptest.NewRecorder()
	standinhttp.JSON(http.StatusCreated, "a&b").Write(w)
	if got := w.Header(); w.Code != http.StatusCreated || w.Body.String() != "\"a&b\"\n" ||
		got.Get("Content-Length") != "6" ||
		got.Get("Content-Type") != "application/json" {
		t.Errorf("JSON: %d %v %s", w.Code, got, w.Body)
	}
	w = httptest.NewRecorder()
	standinhttp.Answer{Status: http.StatusOK}.Write(w)
	if got := w.Header(); got.Get("Content-Length") != "0" || got["Content-Type"] != nil {
		t.Errorf("nothing: %v", got)
	}
}
