package console

import (
	"cmp"
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/internal/monitor"
	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/upload"
)

type baseKey struct{}

// withBase puts the server's address into the request's context, for shell
// lines to paste.
func (c *Console) withBase(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), baseKey{}, c.origin(r))))
	})
}

// origin returns the address under which the caller reaches this server.
func (c *Console) origin(r *http.Request) string {
	if c.cfg.Origin != nil {
		if origin := c.cfg.Origin(r); origin != "" {
			return origin
		}
	}
	return standinhttp.Origin(r)
}

func baseOf(ctx context.Context) string {
	base, _ := ctx.Value(baseKey{}).(string)
	return base
}

// curl returns shell lines that send a request again. The request's body is not
// kept, so a file is given by its name, and JSON by the contract's example.
func (c *Console) curl(ctx context.Context, x monitor.Exchange) string {
	p := c.provider(x.Provider)
	if p == nil || p.Credentials == nil {
		return ""
	}
	lines, options := p.Credentials(x.Op, x.Method, x.Path)
	method := "-X " + x.Method
	if x.Method == http.MethodHead {
		method = "--head" // with -X curl would wait for a body
	}
	options = append([]string{method}, options...)
	address := quote(baseOf(ctx) + x.Path)
	if x.Op == contract.Presigned {
		lines = append(lines, "# UPLOAD_URL is the presigned URL of an answer; it may be used until it expires")
		address = `"$UPLOAD_URL"`
	}
	for _, f := range x.Files {
		name := cmp.Or(upload.BaseName(f.Name), "FILE")
		if f.Field == "" {
			options = append(options, "-H "+quote("Content-Type: "+f.ContentType), "--data-binary @"+quote(name))
			continue
		}
		if strings.ContainsAny(name, `,;"\`) { // curl reads them as syntax
			name = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
		}
		options = append(options, "-F "+quote(f.Field+"=@"+name+";type="+cmp.Or(f.ContentType, upload.OctetStream)))
	}
	if len(x.Files) == 0 {
		options = append(options, example(c.contracts[p.Name], x.Op)...)
	}
	lines = append(lines, "curl "+strings.Join(append(options, address), " \\\n  "))
	return strings.Join(lines, "\n")
}

// example returns options of curl for the body of an operation: the first
// example in the spec.
func example(spec *contract.Contract, operation string) (options []string) {
	op := spec.Operation(operation)
	if op == nil {
		return nil
	}
	if media := op.Media("application/json"); media != nil && media.Example != nil {
		return []string{"-H 'Content-Type: application/json'", "-d " + quote(string(media.Example))}
	}
	if media := op.Media("multipart/form-data"); media != nil {
		for _, field := range media.Fields {
			options = append(options, "-F "+quote(field+"=@FILE"))
		}
	}
	return options
}

var plainWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w./:=@%+,-]+$`) })

// quote makes one word of the shell out of a text.
func quote(text string) string {
	if plainWord().MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
