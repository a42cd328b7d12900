package console

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	api "github.com/putpost/putpost/gen/console"
	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/internal/monitor"
)

// maxFaults is the largest number of faults that wait at a time.
const maxFaults = 1000

// ListFaults lists the faults that wait for requests.
func (o operations) ListFaults(context.Context, api.ListFaultsRequestObject) (api.ListFaultsResponseObject, error) {
	list := api.FaultList{Faults: []api.Fault{}}
	for _, f := range o.waiting() {
		list.Faults = append(list.Faults, showFault(f))
	}
	return api.ListFaults200JSONResponse(list), nil
}

// InjectFault makes the next requests of an operation fail.
func (o operations) InjectFault(
	_ context.Context, req api.InjectFaultRequestObject,
) (api.InjectFaultResponseObject, error) {
	f := req.Body
	if o.provider(f.Provider) == nil {
		return nil, o.noProvider(http.StatusBadRequest, f.Provider)
	}
	if err := o.knows(f.Provider, f.Operation); err != nil {
		return nil, err
	}
	if err := checkFault(f); err != nil {
		return nil, err
	}
	times := -1
	if f.Times != nil && *f.Times > 0 {
		times = *f.Times
	}

	o.injecting.Lock()
	defer o.injecting.Unlock()
	if len(o.waiting()) >= maxFaults {
		return nil, refuse(http.StatusConflict, "%d faults wait already; remove one, or reset", maxFaults)
	}
	injected := o.monitor.Inject(monitor.Injection{
		Provider: f.Provider, Op: f.Operation, Times: times, Kind: string(f.Kind), Fault: o.fault(f), Note: *f,
	})
	o.note(faultsChanged)
	return api.InjectFault201JSONResponse(showFault(injected)), nil
}

// fault returns the fault that a checked call describes.
func (c *Console) fault(f *api.Fault) monitor.Fault {
	switch f.Kind {
	case api.Answer:
		var header []string
		for name, text := range value(f.Headers) {
			header = append(header, name, text)
		}
		return monitor.Answer(*f.Status, value(f.Body), header...)
	case api.Delay:
		return monitor.Delay(time.Duration(*f.DelayMs) * time.Millisecond)
	case api.ResetBefore:
		return monitor.ResetBefore
	case api.ResetMiddle:
		return monitor.ResetMiddle
	case api.ResetAfter:
		return monitor.ResetAfter
	case api.Expired:
		return monitor.Answer(http.StatusForbidden,
			"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
			"Content-Type", "application/xml")
	}
	if f.Operation == contract.Token { // its credentials are in the body
		return monitor.Answer(http.StatusUnauthorized, `{"error":"invalid_client"}`, "Content-Type", "application/json")
	}
	return withoutCredentials(c.contracts[f.Provider].CredentialHeaders)
}

// withoutCredentials removes the credentials from a request, so that the
// stand-in refuses it in its own way.
func withoutCredentials(names []string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r = r.WithContext(r.Context())
			r.Header = r.Header.Clone()
			for _, name := range names {
				r.Header.Del(name)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// RemoveFault removes a fault.
func (o operations) RemoveFault(
	_ context.Context, req api.RemoveFaultRequestObject,
) (api.RemoveFaultResponseObject, error) {
	id, err := strconv.ParseInt(req.ID, 10, 64)
	waits := slices.ContainsFunc(o.waiting(), func(f monitor.Injection) bool { return f.ID == id })
	if err != nil || !waits || !o.monitor.Remove(id) {
		return nil, refuse(http.StatusNotFound, "no fault with the id %.40q waits; it may be used up", req.ID)
	}
	o.note(faultsChanged)
	return api.RemoveFault204Response{}, nil
}

// waiting returns the faults that requests can still meet, and removes the
// others.
func (c *Console) waiting() []monitor.Injection {
	return slices.DeleteFunc(c.monitor.Injections(), func(f monitor.Injection) bool {
		return f.Times == 0 && c.monitor.Remove(f.ID)
	})
}

func showFault(f monitor.Injection) api.Fault {
	shown, _ := f.Note.(api.Fault)
	shown.ID, shown.Met = new(strconv.FormatInt(f.ID, 10)), new(f.Met)
	return shown
}

var headerName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$") })

// ofTheServer are the headers that the server itself sets.
var ofTheServer = []string{"Content-Length", "Transfer-Encoding", "Connection", "Trailer", "Upgrade"}

// checkFault refuses fields that do not fit the fault's kind. A schema cannot
// express these rules.
func checkFault(f *api.Fault) error {
	answers := f.Status != nil || len(value(f.Headers)) > 0 || value(f.Body) != ""
	switch {
	case f.Kind == api.Answer && f.Status == nil:
		return refuse(http.StatusBadRequest, "a fault of the kind answer needs a status")
	case f.Kind == api.Delay && f.DelayMs == nil:
		return refuse(http.StatusBadRequest, "a fault of the kind delay needs delayMs")
	case f.Kind != api.Answer && answers:
		return refuse(http.StatusBadRequest, "status, headers and body belong to a fault of the kind answer, not %s",
			f.Kind)
	case f.Kind != api.Delay && f.DelayMs != nil:
		return refuse(http.StatusBadRequest, "delayMs belongs to a fault of the kind delay, not %s", f.Kind)
	case f.Kind == api.Expired && f.Operation != contract.Presigned:
		return refuse(http.StatusBadRequest, "only a presigned URL expires: the operation must be %s",
			contract.Presigned)
	case f.Kind == api.Unauthorized && f.Operation == contract.Presigned:
		return refuse(http.StatusBadRequest, "a presigned URL needs no credentials: the kind expired refuses it")
	case value(f.Body) != "" && (*f.Status == http.StatusNoContent || *f.Status == http.StatusNotModified):
		return refuse(http.StatusBadRequest, "an answer of status %d has no body", *f.Status)
	}
	for name, v := range value(f.Headers) {
		switch {
		case !headerName().MatchString(name):
			return refuse(http.StatusBadRequest, "%.60q is not the name of a header", name)
		case slices.ContainsFunc(ofTheServer, func(own string) bool { return strings.EqualFold(own, name) }):
			return refuse(http.StatusBadRequest, "the header %s is the server's own and cannot be set", name)
		case strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return refuse(http.StatusBadRequest, "the value of the header %s has a control character in it", name)
		}
	}
	return nil
}
