package probe

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// wrong are bodies that are made from a right one. The spec says whether such a
// body is wrong indeed: one that breaks none of its rules is not sent.
var wrong = map[string]func(*sample){
	"no body":                      func(s *sample) { s.body = []byte{} },
	"a body of another media type": func(s *sample) { s.contentType = "application/x-uploadtest" },
	"a body without a media type":  func(s *sample) { s.contentType = "" },
	"a body that is cut off":       func(s *sample) { s.body = s.body[:len(s.body)/2] },
	"a form without the parameter boundary": func(s *sample) {
		s.contentType, _, _ = strings.Cut(s.contentType, "; boundary")
	},
	"a form without its end": func(s *sample) {
		if s.isForm() {
			s.body = bytes.TrimSuffix(s.body, []byte("--\r\n"))
		}
	},
	"a list instead of the object": func(s *sample) {
		if s.isJSON() {
			s.body = slices.Concat([]byte("["), s.body, []byte("]"))
		}
	},
}

// refusesRequests sends wrong requests.
func (p *prober) refusesRequests(r *operation) {
	for _, s := range p.samples(r) {
		if s = p.anew(r, s); !p.valid(r, s) {
			continue // the cause of a fault in it would be unclear
		}
		for _, what := range slices.Sorted(maps.Keys(wrong)) {
			// The media type of a file is a fact about it, which many servers only keep.
			ofFile := s.object == nil && strings.HasSuffix(what, "media type")
			if bad := p.bait(r, s); s.body != nil && (!ofFile || declares(r, "415")) {
				wrong[what](&bad)
				p.refusesSample(r, what, bad)
			}
		}
		if content, _ := s.file(); len(content) > 0 {
			p.cutsOff(r, p.good(r, s), s.body)
		}
		for _, in := range s.objects() {
			p.refusesMembers(r, s, in)
		}
		large := p.withinLimit(payload.Noise(1_200_001))
		if p.refusesChecksums(r, p.bait(r, s), "") { // only the beginning may be compared
			p.refusesChecksums(r, s.holding(large), fmt.Sprintf(", beside a file of %d bytes", len(large)))
		}
		if key := p.chosen(r); r.barred != nil {
			p.refusesChecksums(r, p.bait(r, s).under(key, r.barred.ids[key]), "")
		}
		p.refusesUnannounced(r, s)
	}
	p.refusesParameters(r)
}

// refusesUnannounced sends other bytes than those whose checksum was stated when the
// thing that they are for was made.
func (p *prober) refusesUnannounced(r *operation, s sample) {
	const content, other = "uploadtest: as announced", "UPLOADTEST: as announced"
	makes := p.parent(r)
	if _, one := s.file(); makes == nil || !one || !declares(r, "422") && !refusesAs(r, comparesSum) {
		return
	}
	begins := firstSample(makes)
	announced := func(content string) []byte { return begins.holding([]byte(content)).body }
	if len(begins.files()) == 0 && !bytes.Equal(announced(content), announced(other)) {
		defer func(was bool) { r.single = was }(r.single)
		r.single = true // of a thing of its own
		s = p.adopted(r, s.holding([]byte(content))).holding([]byte(other))
		p.refused("checksum of other bytes", "a file that is not the one that was announced", r, p.good(r, s))
	}
}

// refusesParameters sends a request with each of its parameters missing or
// wrong.
func (p *prober) refusesParameters(r *operation) {
	for _, param := range apispec.Parameters(r.Route) {
		with := func(value string) *http.Request {
			return p.with(r, p.anew(r, p.bait(r, firstSample(r))), param, value)
		}
		for _, value := range []string{"", "uploadtest-other", "-1", strings.Repeat("x", 1000)} {
			req := with(value)
			switch {
			case param.In == openapi3.ParameterInPath ||
				len(p.faults(req)) == 0 && (r.Method != http.MethodGet || param.Required || value == ""):
			case value == "":
				p.refused("wrong request", "no parameter "+param.Name, r, req)
			case param.Required:
				p.refused("wrong request", "a wrong parameter "+param.Name, r, req)
			default: // it may be overlooked
				p.wants("wrong request", r, req, "wrong "+param.Name, "a wrong parameter "+param.Name, "", 2, 4)
			}
		}
	}
}

// with returns the request of a sample with another value of a parameter, or
// without one if it is empty.
func (p *prober) with(r *operation, s sample, param *openapi3.Parameter, value string) *http.Request {
	req := p.build(r, s)
	if query := req.URL.Query(); param.In == openapi3.ParameterInQuery {
		if query.Del(param.Name); value != "" {
			query.Set(param.Name, value)
		}
		req.URL.RawQuery = query.Encode()
	} else if req.Header.Del(param.Name); value != "" {
		req.Header.Set(param.Name, value)
	}
	return p.authorized(req)
}

// refusesChecksums sends the checksum of other bytes wherever one is taken.
func (p *prober) refusesChecksums(r *operation, s sample, beside string) (refused bool) {
	ways := map[string]*http.Request{}
	for _, param := range apispec.Parameters(r.Route) {
		if sum := ofOtherBytes(r, s, param.Name, param.Description, apispec.Resolved(param.Schema)); sum != "" {
			ways[param.Name] = p.with(r, p.anew(r, s), param, sum)
		}
	}
	for _, in := range s.objects() {
		for name := range in.object {
			schema, other := apispec.PropertyOf(in.schema, name), maps.Clone(in.object)
			if other[name] = ofOtherBytes(r, s, name, schema.Description, schema); other[name] != "" {
				ways[in.name+name] = p.good(r, p.anew(r, in.of(other)))
			}
		}
	}
	refused = true
	for _, name := range slices.Sorted(maps.Keys(ways)) {
		refused = !p.refused("wrong request", "the "+name+" of other bytes"+beside, r, ways[name]).ok() && refused
	}
	return refused
}

// refusesMembers sends an object in a body with each of its members missing or
// wrong.
func (p *prober) refusesMembers(r *operation, s sample, in bodyObject) {
	isForm := s.isForm() && in.name == ""
	for _, name := range slices.Sorted(maps.Keys(in.object)) {
		called, schema := in.name+name, apispec.PropertyOf(in.schema, name)
		without := maps.Clone(in.object)
		delete(without, name)
		if isForm && len(without) == 0 {
			without["uploadtest"] = "a form without parts is none"
		}
		if slices.Contains(in.schema.Required, name) {
			p.refusesSample(r, "a body without "+called, in.of(without))
		}
		with := func(value any) sample {
			other := maps.Clone(in.object)
			other[name] = value
			return in.of(other)
		}
		others := []any{17, "", true, []any{}, map[string]any{}}
		if isForm {
			others = others[:3] // an empty list is a field that is not there
		}
		for _, other := range others {
			p.refusesSample(r, "a body with another type of "+called, with(other))
		}
		p.refusesSample(r, "a "+called+" that is not one of its values", with("uploadtest-other"))
		if most := schema.MaxLength; most != nil {
			p.refusesSample(r, "a "+called+" that is too long", with(strings.Repeat("x", int(*most)+1)))
		}
		if isForm && apispec.IsBinary(schema) {
			p.refusesFile(r, s, name)
		}
	}
}

// refusesFile sends a form whose file has another field, no media type or
// another one.
func (p *prober) refusesFile(r *operation, s sample, name string) {
	if elsewhere := s; slices.Contains(s.schema.Required, name) { // else it is a part too many
		field := []byte(`name="` + name + `"; filename`)
		elsewhere.body = bytes.ReplaceAll(s.body, field, []byte(`name="uploadtest"; filename`))
		p.refusesSample(r, "a file in another field than "+name, elsewhere)
	}
	bare := s
	bare.body = bytes.Replace(s.body, []byte("Content-Type: "+s.typeOf(name)+"\r\n"), nil, 1)
	p.wants("wrong request", r, p.good(r, bare), "bare "+name, "a file without a media type in "+name, "", 2, 4)
	const typ = "application/x-uploadtest" // it is refused where a status says so
	form := http.Header{"Content-Type": {s.contentType}}
	if declares(r, "415") && !p.contract.Takes(r.name, form, name, typ) {
		other := s
		other.encoding = maps.Clone(s.encoding)
		other.encoding[name] = &openapi3.Encoding{ContentType: typ}
		other = other.of(s.object, s.fileName)
		p.refused("wrong request", "a file of another media type in "+name, r, p.good(r, other))
		if s.takesSeveral(name) {
			s.types = []string{s.typeOf(name), typ}
			p.refusesAll(r, "a file before one of another media type in "+name,
				p.anew(r, s.with(name, []any{"a", "bb"})))
		}
	}
}

// refusesAll sends a form of which one file is wrong: none of its files may be stored.
func (p *prober) refusesAll(r *operation, what string, s sample) {
	before, told := p.stock(r, s)
	a := p.refused("wrong request", what, r, p.good(r, s))
	if !told {
		p.unseen(r, "whether %s is stored: no list has such files, and no answer counts them", what)
	} else if after, _ := p.stock(r, s); a.status/100 == 4 && after > before {
		a.broke(ruleStatus, stored, "%d to %s, and it is stored: nothing of a refused request may be", a.status, what)
	}
}

// stock returns how many things are in the list at the path of an operation and how many
// the answers of the paths above tell of, and whether there is such an answer.
func (p *prober) stock(r *operation, s sample) (n int, told bool) {
	for _, get := range p.ops {
		switch below, isAbove := strings.CutPrefix(r.path, get.path); {
		case get.Method != http.MethodGet || !isAbove:
		case below == "":
			a, list := p.walks(get, p.pathOf(get, s), 0)
			n, told = n+len(list), told || a.ok()
		case below[0] == '/':
			for _, l := range leaves(p.ask(get, p.good(get, s)).body) {
				if count, err := strconv.Atoi(l.text()); err == nil && counts(l.name, one(r.path)) {
					n, told = n+count, true
				}
			}
		}
	}
	return n, told
}

// refusesSample asks with a sample that is wrong, if the spec says that it is.
func (p *prober) refusesSample(r *operation, what string, s sample) {
	if req := p.good(r, s); len(p.faults(req)) > 0 {
		p.refused("wrong request", what, r, req)
	}
}

// refusesMethods sends a method that the path does not have. With an empty id, it
// may be the path of an element, which has the method.
func (p *prober) refusesMethods(r *operation) {
	for _, method := range []string{http.MethodPatch, http.MethodPut} {
		req := p.build(r, sample{contentType: "text/plain", body: []byte("x")})
		req.Method = method
		ofElement := strings.HasSuffix(r.Path, "/") &&
			slices.ContainsFunc(p.below(r), func(one *operation) bool { return one.Method == method })
		if r.PathItem.GetOperation(method) == nil && p.exchange(req).Operation() == nil && !ofElement {
			p.wants("another method", nil, p.authorized(req), "the method "+method,
				"the method "+method, mustBeRefused, 4, http.StatusNotImplemented)
			return
		}
	}
}

// unknown asks for ids that were never issued.
func (p *prober) unknown(r *operation) {
	if r.Method == http.MethodPut || !refusesUnknown(r) {
		return
	}
	names := r.params
	if r.byQuery() && len(p.holders(p.learned[r.last])) > 0 { // it is of what was made, not of an account
		names = []string{r.last}
	}
	for _, name := range names {
		value := p.learned[name]
		chooses := r.grants && reading(r) && name == r.last && p.maker(r.above(name)) == nil // where the file will be
		if len(value) <= 3 && !numeric(value) || value == "" || p.clientKeys[name] || chooses ||
			r.Method == http.MethodPost && (unique.MatchString(name) || p.brings(r, name)) { // the client chooses it
			continue
		}
		what := "an id that was never issued"
		if name != r.last && p.learned[r.last] != "" {
			what = "an upload under another " + name
		}
		for _, id := range neverIssued(value) {
			if len(p.holders(id)) == 0 {
				p.lacks("unknown id", what, r, p.good(r, firstSample(r).under(name, id)),
					func(answer []byte) bool { return r.mayRepeat() || isEmptyList(answer) })
			}
		}
	}
}

// brings reports whether the caller brings what a parameter of a path names: nothing
// makes it, no answer gave another one than the spec's example, and the operation has
// no answer for one that is not there.
func (p *prober) brings(r *operation, name string) bool {
	return !declares(r, absent...) && p.at(r.above(name), http.MethodPost) == nil &&
		slices.ContainsFunc(r.required, func(param *openapi3.Parameter) bool {
			return param.Name == name && p.learned[name] == apispec.TextOf(apispec.ExampleOf(param))
		})
}

// neverIssued returns ids like one that was issued.
func neverIssued(id string) []string {
	never := []string{spoil(id), id + "x"}
	switch n, err := strconv.ParseInt(id, 10, 64); {
	case numeric(id):
		if never[0] = "98" + id; err == nil { // ids may be counted
			never = append(never, fmt.Sprint(n+1<<32))
		}
	case len(id) >= 12:
		never = append(never, id[:len(id)-1])
	}
	return never
}
