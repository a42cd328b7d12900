package contract

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"mime"
	"net/http"
	"net/url"
)

// parked is what an exchange keeps of its heads and its answer until it is
// checked. It is one text: the garbage collector would look at each of their
// parts again and again.
type parked struct {
	method, uri string
	status      int
	text        []byte // both headers, each with an empty text behind it, and the answer's body
}

// Park lets the exchange wait for CheckParked without its request, connection
// and answer. The body must have come.
func (x *Exchange) Park(status int, header http.Header, answer []byte) {
	var buffer [2 << 10]byte
	text := append(appendHeader(appendHeader(buffer[:0], x.head.Header), header), answer...)
	x.parked = parked{x.head.Method, x.head.URL.RequestURI(), status, bytes.Clone(text)}
	x.head, x.typed = nil, nil
	if b := x.body; b != nil {
		x.body = &body{digest: b.digest, form: b.form, ended: b.ended, broken: b.broken, over: true}
	}
}

// CheckParked returns the violations of an exchange that is parked.
func (x *Exchange) CheckParked() []*Violation {
	own, text := cutHeader(x.parked.text)
	header, answer := cutHeader(text)
	u, _ := url.ParseRequestURI(x.parked.uri)
	x.head = &http.Request{Method: x.parked.method, URL: cmp.Or(u, &url.URL{}), Header: own}
	_, x.typed, _ = mime.ParseMediaType(own.Get("Content-Type"))
	return append(x.CheckRequest(true), x.FinishResponse(x.parked.status, header, answer)...)
}

func appendHeader(to []byte, header http.Header) []byte {
	for name, values := range header {
		for _, value := range values {
			to = appendText(appendText(to, name), value)
		}
	}
	return appendText(to, "")
}

func appendText(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

func cutHeader(from []byte) (header http.Header, rest []byte) {
	header = http.Header{}
	for {
		name, value := "", ""
		if name, from = cutText(from); name == "" {
			return header, from
		}
		value, from = cutText(from)
		header[name] = append(header[name], value)
	}
}

func cutText(from []byte) (text string, rest []byte) {
	size, n := binary.Uvarint(from)
	from = from[n:]
	return string(from[:size]), from[size:]
}
