package wire

import (
	"bufio"
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strings"
)

// uncompress makes a compressed answer readable. Some servers compress although
// the request asks for "identity". The reader of the answer limits its length.
func uncompress(resp *http.Response) {
	if resp.Header["Content-Encoding"] == nil {
		return
	}
	codings := strings.FieldsFunc(strings.ToLower(strings.Join(resp.Header.Values("Content-Encoding"), ",")),
		func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	codings = slices.DeleteFunc(codings, func(coding string) bool { return coding == "identity" })
	if len(codings) != 1 || codings[0] != "gzip" && codings[0] != "x-gzip" {
		return
	}
	resp.Body = &gunzip{body: resp.Body}
	resp.Header = resp.Header.Clone()
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	resp.ContentLength, resp.Uncompressed = -1, true
}

// gunzip reads a body that is marked as gzip. If it is none, it is read as it
// is.
type gunzip struct {
	body   io.ReadCloser
	reader io.Reader // nil before the first Read
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.reader == nil {
		buffered := bufio.NewReader(g.body)
		g.reader = buffered
		if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
			z, err := gzip.NewReader(buffered)
			if err != nil {
				return 0, err
			}
			g.reader = z
		}
	}
	return g.reader.Read(p)
}

func (g *gunzip) Close() error { return g.body.Close() }
