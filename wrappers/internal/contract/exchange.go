package contract

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Exchange is one request and its answer, seen from either side.
type Exchange struct {
	c      *Contract
	w      Watch
	op     operation
	raw    bool          // the whole body is a file
	head   *http.Request // without a body
	host   string
	length int64 // -1: unknown
	body   *body // nil: none
	faults []*Violation
	ids    []string
}

// Begin looks at the head of a request. It may be one that arrived, or one that
// is about to be sent.
func (c *Contract) Begin(r *http.Request, w Watch) *Exchange {
	host, uri, received := r.Host, r.RequestURI, r.RequestURI != ""
	if !received {
		uri = r.URL.RequestURI()
	}
	if host == "" {
		host = r.URL.Host
	}
	x := &Exchange{c: c, w: w, host: host, length: r.ContentLength, op: c.find(r.Method, host, uri, r.Header)}
	x.raw = isRaw(x.op, r.Header.Get("Content-Type"))
	x.head = r.Clone(context.WithoutCancel(r.Context()))
	x.head.Body, x.head.GetBody = nil, nil
	if x.op.fault != "" {
		x.broke(RuleAddress, "%s", x.op.fault)
	}
	if fault := x.lengthFault(r, received); fault != "" && x.carriesBody() {
		x.broke(RuleLength, "%s", fault)
	}
	switch x.op.name {
	case Presigned:
		x.checkPresigned()
		x.ids = x.op.grant.ids
	case Token:
		x.checkToken()
	}
	for name, value := range x.op.params {
		if isFileID(name) {
			x.ids = []string{value}
		}
	}
	if !Empty(r) {
		x.body = x.watch(r.Body)
	}
	return x
}

// lengthFault says what is wrong with how a request says the length of its
// body.
func (x *Exchange) lengthFault(r *http.Request, received bool) string {
	switch {
	case received && len(r.TransferEncoding) > 0, !received && !Empty(r) && r.ContentLength <= 0:
		x.length = -1
		return "chunked: the body's length is not said"
	case received && r.Header.Get("Content-Length") == "":
		return "no Content-Length"
	}
	return ""
}

// carriesBody tells whether the request must say how long its body is.
func (x *Exchange) carriesBody() bool {
	if x.op.route != nil {
		return x.op.route.Operation.RequestBody != nil
	}
	return x.op.name != "" && x.head.Method != http.MethodGet &&
		x.head.Method != http.MethodHead // a download is presigned, too
}

// Op returns the operation's name, [Presigned], [Token], or nothing.
func (x *Exchange) Op() string { return x.op.name }

// Operation tells whether the request is one of the spec's operations.
func (x *Exchange) Operation() bool { return x.op.route != nil }

// Watching returns r with a body that is looked at as it is read. The copy is
// needed: net/http decides by the type of its own request's body whether it may
// answer before it has read on. A body that is sent again from its first byte,
// because a kept connection turned out to be dead, counts from there.
func (x *Exchange) Watching(r *http.Request) *http.Request {
	if x.body == nil {
		return r
	}
	r = r.WithContext(r.Context())
	r.Body = x.body
	if get := r.GetBody; get != nil {
		r.GetBody = func() (io.ReadCloser, error) {
			rc, err := get()
			if err != nil {
				return nil, err
			}
			x.body.finish(-1)
			x.body = x.watch(rc)
			return x.body, nil
		}
	}
	return r
}

// Received returns how many bytes of the body passed by, and the first of them.
func (x *Exchange) Received() (size int64, head []byte) {
	if x.body == nil {
		return 0, nil
	}
	x.body.mu.Lock()
	defer x.body.mu.Unlock()
	return x.body.digest.size, x.body.digest.head.Bytes()
}

// Files returns the files of the request: the file parts of a form, and the
// whole body of a presigned step or of an operation that takes a file so. It
// must be called after [Exchange.FinishRequest].
func (x *Exchange) Files() []File {
	if x.body != nil && x.body.form != nil {
		return x.body.form.files()
	}
	if x.op.name != Presigned && !x.raw {
		return nil
	}
	empty := newDigest(0, x.w.Sum)
	d := &empty
	if x.body != nil {
		d = &x.body.digest
	}
	f := d.file()
	f.Name, f.ContentType = x.rawName(), x.head.Header.Get("Content-Type")
	return []File{f}
}

// Fields returns what a form says beside its files. It must be called after
// [Exchange.FinishRequest].
func (x *Exchange) Fields() url.Values {
	if x.body == nil || x.body.form == nil {
		return nil
	}
	fields := url.Values{}
	for _, p := range x.body.form.parts {
		if _, isFile := p.params["filename"]; !isFile {
			fields.Add(p.params["name"], p.digest.head.String())
		}
	}
	return fields
}

// FileIDs returns the ids of the files that the exchange is about, as far as
// its path, its answer, or the answer that handed out its URL says them.
func (x *Exchange) FileIDs() []string { return x.ids }

// FinishRequest is called when nothing more of the request will come. It
// returns what is wrong with it. The body counts only if it came whole: an
// attempt that broke off, or that was refused unread, is nobody's fault.
func (x *Exchange) FinishRequest() []*Violation {
	whole := x.length == 0
	if x.body != nil {
		whole = x.body.finish(x.length)
	}
	switch {
	case x.op.route != nil:
		x.checkRequest(whole)
	case x.op.name == Token && whole && len(x.faults) == 0:
		x.checkGrantType()
	case x.op.name == Presigned && whole:
		x.checkFields()
	}
	faults := x.faults
	x.faults = nil
	return faults
}

func (x *Exchange) broke(rule, format string, args ...any) {
	x.faults = append(x.faults, &Violation{x.c.Title, x.op.name, rule, x.at(), fmt.Sprintf(format, args...)})
}

// at is the method and the path. An operation's path is the spec's own below
// its base, so that it is the same for each id in it.
func (x *Exchange) at() string {
	path := x.head.URL.EscapedPath()
	if x.op.route != nil {
		sent, said := strings.Split(path, "/"), strings.Split(x.op.route.Path, "/")
		if len(sent) >= len(said) {
			path = strings.Join(append(sent[:len(sent)-len(said)+1:len(sent)-len(said)+1], said[1:]...), "/")
		}
	}
	return x.head.Method + " " + path
}

// url is where the request went.
func (x *Exchange) url() *url.URL {
	u := *x.head.URL
	if u.Host == "" {
		u.Scheme, u.Host = "http", x.host
	}
	return &u
}

// isFileID tells whether a member or a parameter of this name holds a file's
// id.
func isFileID(name string) bool {
	return strings.EqualFold(wordBreaks.Replace(name), "fileid")
}

// wordBreaks takes out what one API writes in its names and the other does not.
var wordBreaks = strings.NewReplacer("_", "", "-", "")
