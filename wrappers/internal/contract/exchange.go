package contract

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Exchange is one request and its answer, seen from either side.
type Exchange struct {
	c      *Contract
	w      Watch
	is     instance
	media  *Media            // nil: the spec does not say it
	typ    string            // the media type of the request
	typed  map[string]string // its parameters; nil: they cannot be read
	raw    bool              // the whole body is a file
	head   *http.Request
	host   string
	length int64 // -1: unknown
	body   *body // nil: none
	sent   *Text // the body once it has ended, if it is text that came whole
	faults []*Violation
	told   []*Violation // of the request, returned before it was checked
	ended  bool         // the request was checked
	ids    []string
	parked parked
}

// Begin looks at the head of a request that arrived, or that is about to be
// sent. The head must not change before the exchange ends, unless w has a Head.
func (c *Contract) Begin(r *http.Request, w Watch) *Exchange {
	host, uri, received := r.Host, r.RequestURI, r.RequestURI != ""
	if !received {
		uri = r.URL.RequestURI()
	}
	if host == "" {
		host = r.URL.Host
	}
	if w.Head != 0 {
		r = r.Clone(context.WithoutCancel(r.Context()))
	}
	x := &Exchange{c: c, w: w, host: host, length: r.ContentLength, head: r,
		is: c.find(r, host, uri)}
	said := r.Header.Get("Content-Type")
	x.typ, x.typed, _ = mime.ParseMediaType(said)
	if x.is.op != nil {
		if x.media = x.is.op.Media(said); x.media != nil {
			x.raw = IsRaw(x.typ, x.media)
		}
	}
	if x.is.fault != "" {
		x.broke(RuleAddress, "%s", x.is.fault)
	}
	if fault := x.lengthFault(r, received); fault != "" && x.carriesBody() {
		x.broke(RuleLength, "%s", fault)
	}
	switch x.is.name {
	case Presigned:
		x.checkPresigned()
		x.ids = x.is.grant.ids
	case Token:
		x.checkToken()
	}
	for name, value := range x.is.params {
		if isFileID(name) {
			x.ids = []string{value}
		}
	}
	if !Empty(r) {
		x.body = x.watch(r.Body)
	}
	return x
}

// lengthFault describes a fault in how a request states the length of its body.
func (x *Exchange) lengthFault(r *http.Request, received bool) string {
	switch {
	case received && len(r.TransferEncoding) > 0, !received && !Empty(r) && r.ContentLength <= 0:
		x.length = -1
		return "chunked: the length of the body is not stated"
	case received && r.Header.Get("Content-Length") == "":
		return "no Content-Length"
	}
	return ""
}

// carriesBody reports whether the request must state the length of its body.
func (x *Exchange) carriesBody() bool {
	if x.is.op != nil {
		return x.is.op.TakesBody
	}
	return x.is.name != "" && x.head.Method != http.MethodGet &&
		x.head.Method != http.MethodHead // a download is presigned, too
}

// Op returns the operation's name, [Presigned], [Token], or nothing.
func (x *Exchange) Op() string { return x.is.name }

// Operation returns the spec's operation of the request, or nil.
func (x *Exchange) Operation() *Operation { return x.is.op }

// Watching returns r with another context, and with a body under observation.
// It is a copy: net/http decides by the type of its own request's body whether
// it may answer before it has read on. If a body is sent again from its first
// byte, because a kept connection turned out to be dead, it counts from there.
func (x *Exchange) Watching(ctx context.Context, r *http.Request) *http.Request {
	r = r.WithContext(ctx)
	if x.body == nil {
		return r
	}
	r.Body = x.body
	if get := r.GetBody; get != nil {
		r.GetBody = func() (io.ReadCloser, error) {
			rc, err := get()
			if err != nil {
				return nil, err
			}
			x.body.finish(0, true)
			x.body = x.watch(rc)
			return x.body, nil
		}
	}
	return r
}

// Received returns the number of bytes of the body that passed by, and the
// first of them.
func (x *Exchange) Received() (size int64, head []byte) {
	if x.body == nil {
		return 0, nil
	}
	x.body.mu.Lock()
	defer x.body.mu.Unlock()
	return x.body.digest.size, x.body.digest.beginning()
}

// Files returns the files of the request: the file parts of a form, or the
// whole body if that is the file. Call it after the request was checked.
func (x *Exchange) Files() []File {
	if x.body != nil && x.body.form != nil {
		return x.body.form.files()
	}
	if x.is.name != Presigned && !x.raw {
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

// Fields returns the fields of a form without its files. Call it after the
// request was checked.
func (x *Exchange) Fields() url.Values {
	if x.body == nil || x.body.form == nil {
		return nil
	}
	fields := url.Values{}
	for _, p := range x.body.form.list {
		if !p.file {
			fields.Add(p.Name, string(p.digest.head))
		}
	}
	return fields
}

// FileIDs returns the ids of the exchange's files. It finds them in the path,
// in the answer, or in the answer that handed out the URL.
func (x *Exchange) FileIDs() []string { return x.ids }

// CheckRequest returns the violations of the request that it has not returned
// before. The body counts only if it came whole: an attempt that broke off, or
// that was refused unread, breaks no rule. Of a form, the headers of the parts
// that began count, too. If the request is not over, more of the body may come:
// CheckRequest then returns the violations of the head, and must be called
// again.
func (x *Exchange) CheckRequest(over bool) []*Violation {
	if x.ended {
		return nil
	}
	whole := x.length == 0
	if x.body != nil {
		whole = x.body.finish(x.length, over)
	}
	if x.ended = whole || over; x.ended && x.body != nil && x.body.form != nil {
		x.body.form.finish()
	}
	switch {
	case x.is.op != nil:
		x.checkRequest(whole)
	case x.is.name == Token && whole && len(x.faults)+len(x.told) == 0:
		x.checkGrantType()
	case x.is.name == Presigned && whole:
		x.checkFields()
	}
	faults := slices.DeleteFunc(x.faults, func(v *Violation) bool {
		return slices.ContainsFunc(x.told, func(told *Violation) bool { return *told == *v })
	})
	x.told, x.faults = append(x.told, faults...), nil
	return faults
}

// Came reports whether the body, if there is one, has come whole. Then nothing
// more of it counts.
func (x *Exchange) Came() bool {
	if x.body == nil {
		return true
	}
	return x.body.finish(x.length, false)
}

// Holds returns how many bytes are kept of the request's body, and while the
// exchange is parked of all.
func (x *Exchange) Holds() int {
	n := len(x.parked.text)
	if x.body == nil {
		return n
	}
	n += len(x.body.digest.head)
	if f := x.body.form; f != nil {
		n += len(f.text) + mostKept - f.kept
		for _, p := range f.list {
			for name, values := range p.Header {
				n += len(name) + len(strings.Join(values, ""))
			}
		}
	}
	return n
}

// Checked reports whether the whole request was checked. Then nothing more of
// the body counts.
func (x *Exchange) Checked() bool { return x.ended }

// checkRequest holds a request to its operation in the spec.
func (x *Exchange) checkRequest(whole bool) {
	request := Request{Request: x.head, Params: x.is.params, Whole: whole && !x.raw}
	rule, fault := x.mediaTypeFault()
	if b := x.body; b != nil && x.media != nil && fault == "" {
		switch {
		case b.form != nil && x.ended:
			request.Form, request.Whole = b.form.list, whole && !b.form.over
			rule, fault = RuleForm, b.form.fault(x.media.Fields, whole)
		case b.form == nil && request.Whole:
			x.sent = &Text{Bytes: b.digest.head}
			request.Body, request.Whole = x.sent, b.digest.size <= Keep
		}
	}
	if fault != "" {
		x.broke(rule, "%s", fault)
		request.Whole = false
	}
	if fault := credentialsFault(x.head, x.is.op.Security); fault != "" {
		x.broke(RuleCredentials, "%s", fault)
	} else if rule, fault := x.is.op.Request(request); fault != "" {
		x.broke(rule, "%s", fault)
	}
}

// mediaTypeFault describes a fault in the media type of a body. It needs only
// the head: a server may refuse the request before it has read the body.
func (x *Exchange) mediaTypeFault() (rule, fault string) {
	switch {
	case x.length == 0 || !x.is.op.TakesBody:
		return "", ""
	case x.media == nil:
		return RuleBody, fmt.Sprintf("header Content-Type has unexpected value %.100q",
			x.head.Header.Get("Content-Type"))
	case x.typed == nil && x.head.Header.Get("Content-Type") != "":
		return RuleBody, "header Content-Type has parameters that cannot be read"
	case x.typ == "multipart/form-data" && x.typed["boundary"] == "":
		return RuleForm, "header Content-Type names no boundary"
	case x.typ == "multipart/form-data" && len(x.typed["boundary"]) > 70:
		return RuleForm, "the boundary has more than 70 bytes (RFC 2046, 5.1.1)"
	}
	return "", ""
}

// FinishResponse returns the violations of an answer. Body is nil if it is
// longer than [Keep].
func (x *Exchange) FinishResponse(status int, header http.Header, body []byte) []*Violation {
	switch {
	case x.is.name == Presigned:
		x.moved(status, header)
	case x.is.op != nil:
		var text *Text
		if body != nil {
			text = &Text{Bytes: body}
		}
		if rule, fault := x.is.op.Response(x.head, status, header, text); fault != "" {
			x.broke(rule, "%s", fault)
		}
		if status/100 == 2 {
			x.learn(header, text)
		}
	}
	faults := x.faults
	x.faults = nil
	return faults
}

// Learn keeps the ids and URLs of an answer, since later requests may use them.
// It is for an answer that is not to be checked.
func (x *Exchange) Learn(header http.Header, body []byte) { x.learn(header, &Text{Bytes: body}) }

func (x *Exchange) learn(header http.Header, answer *Text) {
	var ids, plain []string
	said := members(answer)
	for _, m := range said {
		switch {
		case isFileID(m.Name):
			ids = append(ids, m.Value)
		case m.Name == "id":
			plain = append(plain, m.Value)
		}
	}
	if ids == nil {
		ids = plain
	}
	if ids != nil {
		x.ids = ids
	}
	x.handOut(answer, said)
	x.locate(header.Get("Location"))
}

func (x *Exchange) broke(rule, format string, args ...any) {
	x.faults = append(x.faults, &Violation{x.c.Title, x.is.name, rule, x.at(), fmt.Sprintf(format, args...)})
}

// at returns the method and the path. The path of an operation is the spec's
// own below its base, so that it is the same for all ids.
func (x *Exchange) at() string {
	path := x.head.URL.EscapedPath()
	for _, base := range x.c.Bases {
		if x.is.op != nil && strings.HasPrefix(path+"/", base+"/") {
			return x.head.Method + " " + base + string(x.is.op.Path)
		}
	}
	return x.head.Method + " " + path
}

// url returns the address of the request.
func (x *Exchange) url() *url.URL {
	u := *x.head.URL
	if u.Host == "" {
		u.Scheme, u.Host = "http", x.host
	}
	return &u
}

// isFileID reports whether a member or a parameter of this name holds a file's
// id.
func isFileID(name string) bool {
	const plain = "fileid"
	if len(name) < len(plain) {
		return false
	}
	return strings.EqualFold(name, plain) || strings.EqualFold(wordBreaks.Replace(name), plain)
}

// wordBreaks removes the characters between words: one API writes them in its
// names, and the other does not.
var wordBreaks = strings.NewReplacer("_", "", "-", "")
