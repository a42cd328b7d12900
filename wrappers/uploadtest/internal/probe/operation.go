package probe

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// operation is an operation of the spec, and what its answers have shown.
type operation struct {
	*routers.Route
	name     string                // its operationId, or its method and path
	path     string                // without a slash or .json at its end, and with /verb in place of :verb
	required []*openapi3.Parameter // that it cannot do without
	params   []string              // in its path, in their order
	last     string                // the last of these, or the id in its query, or nothing
	refs     []string              // the ids of other things in its query and its body
	ofParent bool                  // its {id} names a thing that nothing makes

	succeeded bool
	closing   bool   // it completes uploads
	grants    bool   // it hands out URLs for files
	once      bool   // it takes each name once
	respells  bool   // it changes characters of names
	single    bool   // what its path names takes one upload
	fixed     bool   // the last parameter of its path names what is there already
	unfound   string // why it was not asked about an upload
	barred    *made  // has a name under which only what is refused is put; nil: none
}

func newOperation(r *routers.Route) *operation {
	it := &operation{Route: r, name: apispec.NameOf(r), required: apispec.Required(r),
		path:   strings.ReplaceAll(strings.TrimSuffix(strings.TrimSuffix(r.Path, "/"), ".json"), "}:", "}/"),
		params: contract.Template(r.Path).Names()}
	texts := []string{r.Spec.Info.Description, r.Operation.Summary, r.Operation.Description}
	for _, param := range apispec.Parameters(r) {
		if param == it.nameHeader() || names.MatchString(param.Name) {
			texts = append(texts, "name: "+param.Description)
		}
	}
	if n := len(it.params); n > 0 {
		it.last = it.params[n-1]
	}
	for _, param := range it.required {
		if param.In == openapi3.ParameterInQuery && foreign.MatchString(param.Name) {
			it.refs = append(it.refs, param.Name)
			if it.params == nil && (reading(it) || r.Method == http.MethodDelete) {
				it.last = param.Name
			}
		}
	}
	for _, in := range firstSample(it).objects() {
		for name := range in.object {
			if names.MatchString(name) {
				texts = append(texts, "name: "+apispec.PropertyOf(in.schema, name).Description)
			}
			if foreign.MatchString(name) {
				it.refs = append(it.refs, one(name))
			}
		}
	}
	it.respells = slices.ContainsFunc(texts, respells.MatchString)
	return it
}

// isMissed reports whether an operation waits for what an answer may still give.
func (r *operation) isMissed() bool { return r.unfound != "" && !r.succeeded }

// byQuery reports whether the id in an operation's query tells what it is about.
func (r *operation) byQuery() bool { return len(r.params) == 0 && r.last != "" }

// reading reports whether an operation only tells of what is there.
func reading(r *operation) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// places reports whether an operation puts a file where its path says. A name
// beside the path of a POST is the one of the file.
func places(r *operation) bool {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.path, "}") {
		return r.Method == http.MethodPut
	}
	s := firstSample(r)
	return s.object == nil && len(s.files()) == 1 && !r.fixed &&
		!slices.ContainsFunc(r.required, func(param *openapi3.Parameter) bool {
			return param.In != openapi3.ParameterInPath && names.MatchString(param.Name)
		})
}

// takesName reports whether the last parameter of a path is a name.
func takesName(r *operation) bool {
	return slices.ContainsFunc(r.required, func(param *openapi3.Parameter) bool {
		return param.In == openapi3.ParameterInPath && param.Name == r.last &&
			(names.MatchString(param.Name) || aName.MatchString(param.Description))
	})
}

// above returns the path before a parameter, or the whole path.
func (r *operation) above(param string) string {
	above, _, _ := strings.Cut(r.path, "/{"+param+"}")
	return above
}

// at returns the operation of a path, without a slash at its end, and a method,
// or nil.
func (p *prober) at(path, method string) *operation {
	for _, r := range p.ops {
		if r.path == path && r.Method == method {
			return r
		}
	}
	return nil
}

// isOfParent reports whether the {id} in a path names a thing that the spec has an
// example of and nothing makes, such as in /cards/{id}/notes.
func (p *prober) isOfParent(r *operation) bool {
	hasExample := func(param *openapi3.Parameter) bool {
		return param.Name == "id" && (param.Example != nil || apispec.Resolved(param.Schema).Example != nil)
	}
	return strings.Contains(r.path, "/{id}/") && p.at(r.above("id"), http.MethodPost) == nil &&
		slices.ContainsFunc(r.required, hasExample)
}

// matches returns the parameters of a route in the path of a URL, or nil.
func (p *prober) matches(r *operation, to *url.URL) map[string]string {
	base, _ := url.Parse(p.base)
	below := strings.TrimLeft(strings.TrimPrefix(to.EscapedPath(), base.EscapedPath()), "/")
	params := contract.Template(r.Path).Match("/" + below)
	for name, value := range params {
		params[name], _ = url.PathUnescape(value)
	}
	return params
}

// inFolder returns the parameters of a route in the path of a folder, such as that
// of PUT /files/{bucket}/{name} in /files/b-1, or nil.
func (p *prober) inFolder(r *operation, to *url.URL) map[string]string {
	if !places(r) || !strings.HasSuffix(r.path, "{"+r.last+"}") {
		return nil
	}
	params := p.matches(r, to.JoinPath("x"))
	delete(params, r.last)
	return params
}

// declares reports whether an operation declares an answer of one of the
// statuses.
func declares(r *operation, statuses ...string) bool {
	return slices.ContainsFunc(statuses, func(status string) bool { return r.Operation.Responses.Value(status) != nil })
}

// refusesAs reports whether an operation has a 400 for such a thing.
func refusesAs(r *operation, such *regexp.Regexp) bool {
	said := r.Operation.Responses.Value("400")
	return said != nil && said.Value.Description != nil && such.MatchString(*said.Value.Description)
}

// absent are the statuses by which an operation may say that something is not there.
var absent = []string{"404", "410", "4XX", "default"}

// refusesUnknown reports whether an operation has an answer for what is not
// there. A DELETE without one may be answered like the first.
func refusesUnknown(r *operation) bool {
	return r.Method != http.MethodDelete || declares(r, absent...)
}

// mayAnswer reports whether an operation declares such a body of an answer.
func mayAnswer(r *operation, such func(status string, media *openapi3.MediaType) bool) bool {
	for status, response := range r.Operation.Responses.Map() {
		for _, media := range response.Value.Content {
			if such(status, media) {
				return true
			}
		}
	}
	return false
}

// mayGiveFile reports whether an operation is there to give a file.
func mayGiveFile(r *operation) bool {
	return mayAnswer(r, func(status string, media *openapi3.MediaType) bool {
		return status[0] == '2' && apispec.IsBinary(apispec.Resolved(media.Schema))
	})
}

// mayTell reports whether an operation's answer may have a member of a name.
func mayTell(r *operation, named func(string) bool) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(r.members())), named)
}

// members returns the members that an operation's answer may have, with those of an
// object that wraps it.
func (r *operation) members() openapi3.Schemas {
	all := openapi3.Schemas{}
	mayAnswer(r, func(_ string, media *openapi3.MediaType) bool {
		for name, ref := range apispec.Resolved(media.Schema).Properties {
			if all[name] = ref; wraps.MatchString(name + ".") {
				maps.Copy(all, apispec.Resolved(ref).Properties)
			}
		}
		return false
	})
	return all
}

// needsNone reports whether an operation can do without credentials.
func (p *prober) needsNone(r *operation) bool {
	security := p.contract.Operation(r.name).Security
	return len(security) == 0 ||
		slices.ContainsFunc(security, func(all []contract.Scheme) bool { return len(all) == 0 })
}

// below returns the operations on one element of an operation's list.
func (p *prober) below(r *operation) (found []*operation) {
	for _, one := range p.ops {
		below, isBelow := strings.CutPrefix(one.path, r.path+"/{")
		if isBelow && !strings.Contains(below, "/") {
			found = append(found, one)
		}
	}
	return found
}
