package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	api "github.com/putpost/putpost/gen/console"
	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/internal/monitor"
)

// ListExchanges lists the exchanges that are kept, the newest first.
func (o operations) ListExchanges(
	ctx context.Context, req api.ListExchangesRequestObject,
) (api.ListExchangesResponseObject, error) {
	p := req.Params
	matches, err := o.filter(p.Provider, p.Operation, p.Broken)
	if err != nil {
		return nil, err
	}
	after, err := since(p.Since)
	if err != nil {
		return nil, err
	}
	list := api.ExchangeList{Exchanges: []api.Exchange{}}
	for _, x := range slices.Backward(o.monitor.Exchanges()) {
		if len(list.Exchanges) == limit(p.Limit) {
			break
		}
		if answered(x) && matches(x) && after(x) {
			list.Exchanges = append(list.Exchanges, o.show(ctx, x))
		}
	}
	return api.ListExchanges200JSONResponse(list), nil
}

// GetExchange shows one exchange.
func (o operations) GetExchange(
	ctx context.Context, req api.GetExchangeRequestObject,
) (api.GetExchangeResponseObject, error) {
	for _, x := range o.monitor.Exchanges() {
		if answered(x) && strconv.FormatInt(x.ID, 10) == req.ID {
			return api.GetExchange200JSONResponse(o.show(ctx, x)), nil
		}
	}
	return nil, refuse(http.StatusNotFound, "there is no exchange with the id %.40q, or it is no longer kept", req.ID)
}

// answered reports whether the exchange has an answer. Before, there is nothing
// to show.
func answered(x monitor.Exchange) bool { return x.Over || x.Status != 0 }

// filter returns a function that matches the exchanges of a query. A name that
// does not exist is an error, since a test that looks for nothing would always
// pass.
func (c *Console) filter(provider, operation *string, broken *bool) (func(monitor.Exchange) bool, error) {
	p, op := value(provider), value(operation)
	if p != "" && c.provider(p) == nil {
		return nil, c.noProvider(http.StatusBadRequest, p)
	}
	if err := c.knows(p, op); err != nil {
		return nil, err
	}
	return func(x monitor.Exchange) bool {
		return (p == "" || p == x.Provider) && (op == "" || op == x.Op) &&
			(broken == nil || *broken == (len(x.Violations) > 0))
	}, nil
}

// since returns a function that matches exchanges later than another one, or
// than a time.
func since(query *string) (func(monitor.Exchange) bool, error) {
	text := value(query)
	if text == "" {
		return func(monitor.Exchange) bool { return true }, nil
	}
	if id, err := strconv.ParseInt(text, 10, 64); err == nil {
		return func(x monitor.Exchange) bool { return x.ID > id }, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, refuse(http.StatusBadRequest,
			"since %.60q is neither the id of an exchange nor a time such as 2026-03-01T12:00:00Z", text)
	}
	return func(x monitor.Exchange) bool { return x.Time.After(at) }, nil
}

const defaultLimit = 100

func limit(query *int) int { return cmp.Or(value(query), defaultLimit) }

// value returns a value that may be missing, or the zero value.
func value[T any](given *T) (v T) {
	if given != nil {
		v = *given
	}
	return v
}

// show returns an exchange as the interface's type.
func (c *Console) show(ctx context.Context, x monitor.Exchange) api.Exchange {
	shown := api.Exchange{
		ID: strconv.FormatInt(x.ID, 10), Time: x.Time.UTC(),
		Provider: x.Provider, Operation: x.Op, Method: x.Method, Path: x.Path,
		Status: x.Status, DurationMs: float64(x.Duration.Microseconds()) / 1000,
		RequestBytes: x.Received, ResponseBytes: x.Sent,
		TraceID: x.TraceID, FileIds: append([]string{}, x.FileIDs...), Refusal: x.Refusal,
		Violations: []api.Violation{}, Curl: c.curl(ctx, x),
	}
	for _, v := range x.Violations {
		shown.Violations = append(shown.Violations, api.Violation{
			Rule: v.Rule, At: v.At, Detail: v.Detail, Meaning: cmp.Or(meanings[v.Rule], v.Rule),
		})
	}
	if x.FaultID != 0 {
		shown.Fault = &api.MetFault{ID: strconv.FormatInt(x.FaultID, 10), Kind: api.FaultKind(x.Fault)}
	}
	return shown
}

// meanings holds a sentence for each rule, for a reader who knows neither the
// API nor this program.
var meanings = map[string]string{
	contract.RuleAddress: "The request must go to an operation of the API, or to an upload URL exactly as an " +
		"answer handed it out.",
	contract.RuleLength: "The request must say how long its body is, in the header Content-Length. Upload " +
		"services refuse a chunked body.",
	contract.RuleCredentials: "The request must carry the credentials that the operation asks for.",
	contract.RuleParameter:   "A part of the address or a header must have the form that the API documents.",
	contract.RuleBody:        "The body must have the form that the API documents for this operation.",
	contract.RuleForm:        "The form must be well formed and must have the fields that the API documents.",
	contract.RuleMethod:      "A presigned URL must be used with the method that was handed out with it.",
	contract.RuleMediaType: "The file must be sent to its presigned URL with the same Content-Type that was " +
		"announced for it.",
	contract.RuleForeign: "A presigned URL needs no other credentials. Sent along, the API's credentials would " +
		"be told to the storage service.",
	contract.RulePresignedHeader: "A request to a presigned URL may carry the headers that were signed " +
		"or handed out, " +
		"and no others of the service's own.",
	contract.RuleToken: "The call for a token must be a form as OAuth 2 (RFC 6749) asks for it.",
	contract.RuleStatus: "The answer must have a status that the API documents. Here the stand-in broke the " +
		"rule, not the caller.",
	contract.RuleHeader: "The answer's headers must have the form that the API documents. Here the stand-in " +
		"broke the rule, not the caller.",
	contract.RuleAnswer: "The answer's body must have the form that the API documents. Here the stand-in broke " +
		"the rule, not the caller.",
}
