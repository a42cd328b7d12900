package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// holds checks the rules of an answer that no schema can say.
func (p *prober) holds(a answer, op *contract.Operation, body []byte) {
	p.Helper()
	broke := func(rule, what string) { a.broke(rule, what, "status %d: %s", a.status, what) }
	typ, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	isJSON, told := strings.HasSuffix(typ, "json"), body
	if a.ok() && (a.route == nil && !isJSON || a.route != nil && a.givesFile(a.route)) {
		told = nil // a file may have any bytes
	}
	if rule, what := betrays(a.header, told, a.req); what != "" {
		broke(rule, "it shows "+what)
	}
	for secret := range p.secrets {
		if a.status >= 400 && bytes.Contains(body, []byte(secret)) {
			broke(ruleAnswer, "it shows the credentials of a request")
		}
	}
	if isJSON && len(body) > 0 && !json.Valid(body) {
		broke(ruleAnswer, "the body is not one JSON value")
	}
	if op == nil {
		return
	}
	if trace := a.header.Get(p.contract.TraceHeader); trace != "" {
		p.traces[trace]++
	}
	declared := op.Rules.(apispec.Rules).Operation.Responses.Status(a.status)
	if declared == nil {
		return
	}
	if what := misplaced(op.Rules.(apispec.Rules).Operation, a.status, body); what != "" {
		broke(ruleStatus, what)
	}
	for name, ref := range declared.Value.Headers {
		switch values := a.header.Values(name); {
		case len(values) > 1:
			broke(ruleHeader, "the header "+name+" is there more than once")
		case a.header.Get(name) == "" && ref.Value.Extensions["x-sent"] == "always":
			broke(ruleHeader, "header "+name+" is missing, and the spec says that it is always sent")
		}
	}
}

const folders = "home|root|usr|var|tmp|etc|opt|srv|proc|private|Users|mnt|data|app"

// inside matches facts that only the server's machine knows. Only a text that
// has one of the hints is matched, since matching takes much longer.
var inside = []struct {
	what    string
	hints   []string
	matches *regexp.Regexp
}{
	{"a stack trace", []string{"goroutine ", ".go:", ".js:", `.py", line`, "Traceback", "at "},
		regexp.MustCompile(`goroutine \d+ \[|\.go:\d+|\.js:\d+:\d+|\.py", line \d+` +
			`|Traceback \(most recent|\bat [\w.$]+\([\w.]+:\d+\)`)},
	{"a path of the server's machine", append(strings.Split(folders, "|"), `:\`, ".part"),
		regexp.MustCompile(`(?:^|[\s"'=(:])(?:[A-Z]:\\+\w+|/(?:` + folders + `)\d?/[\w.-]+` +
			`|(?:/[\w.-]+){2,}\.(?:tmp|part)\b)`)},
}

// betrays names a fact about the server's machine that an answer shows and that
// was not in the request. It names the header that has it.
func betrays(header http.Header, body []byte, req *http.Request) (rule, what string) {
	text := string(body)
	for _, values := range header {
		text += "\n" + strings.Join(values, "\n")
	}
	if strings.Contains(text, `\`) || strings.Contains(text, `ointer"`) {
		for _, l := range leaves(body) {
			if pointers.MatchString(l.name) { // it is a path in the request
				text = strings.ReplaceAll(text, `"`+l.text()+`"`, `""`)
			} else { // without the escapes of JSON
				text += "\n" + l.text()
			}
		}
	}
	for _, c := range inside {
		if !slices.ContainsFunc(c.hints, func(hint string) bool { return strings.Contains(text, hint) }) {
			continue
		}
		for _, found := range c.matches.FindAllString(text, -1) {
			if found = strings.Trim(found, "\n "+`"'=(:`); strings.Contains(req.URL.Path, found) {
				continue
			}
			for _, name := range slices.Sorted(maps.Keys(header)) {
				if strings.Contains(strings.Join(header[name], "\n"), found) {
					return ruleHeader, c.what + " in the header " + name
				}
			}
			return ruleAnswer, c.what
		}
	}
	return "", ""
}

// misplaced says that an error code is the one of another status. The spec's
// examples must show codes of both.
func misplaced(op *openapi3.Operation, status int, body []byte) string {
	shown := map[string]map[string]bool{} // by status
	for of, response := range op.Responses.Map() {
		shown[of] = map[string]bool{}
		for _, media := range response.Value.Content {
			for _, example := range apispec.Examples(media.Example, media.Examples, nil) {
				text, _ := json.Marshal(example)
				for _, code := range codesIn(text) {
					shown[of][code.text()] = true
				}
			}
		}
	}
	own := shown[fmt.Sprint(status)]
	if len(own) == 0 || status < 400 {
		return ""
	}
	maps.Copy(own, shown[fmt.Sprint(status/100, "XX")])
	maps.Copy(own, shown["default"])
	for _, code := range codesIn(body) {
		for _, of := range slices.Sorted(maps.Keys(shown)) {
			if text := code.text(); of >= "4" && shown[of][text] && !own[text] {
				return fmt.Sprintf("%s is %s, which the spec shows for status %s", code.name, apispec.Quoted(text), of)
			}
		}
	}
	return ""
}

// codesIn returns the error codes in a document.
func codesIn(document []byte) []leaf {
	return slices.DeleteFunc(leaves(document), func(l leaf) bool {
		return l.list || l.value == nil || !codes.MatchString(l.name)
	})
}
