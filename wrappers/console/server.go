package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	api "github.com/putpost/putpost/gen/console"
	"github.com/putpost/putpost/wrappers/internal/contract"
)

// GetHealth reports that the stand-ins serve.
func (o operations) GetHealth(context.Context, api.GetHealthRequestObject) (api.GetHealthResponseObject, error) {
	return api.GetHealth200JSONResponse{
		Status: "ok", Version: o.cfg.Version, Store: o.cfg.Store, Providers: o.names(),
	}, nil
}

// ListProviders lists the providers whose stand-ins serve, with their
// operations.
func (o operations) ListProviders(
	ctx context.Context, _ api.ListProvidersRequestObject,
) (api.ListProvidersResponseObject, error) {
	list := api.ProviderList{Providers: []api.Provider{}}
	for _, p := range o.cfg.Providers {
		_, setsStatus := p.Standin.(statuses)
		shown := api.Provider{Name: p.Name, Operations: o.operationsOf(p.Name), SetsStatus: setsStatus}
		if p.FirstUpload != nil {
			shown.FirstUpload = p.FirstUpload(baseOf(ctx))
		}
		list.Providers = append(list.Providers, shown)
	}
	return api.ListProviders200JSONResponse(list), nil
}

// Reset deletes everything. If a stand-in's store cannot list its files, as
// with a bucket, they stay.
func (o operations) Reset(ctx context.Context, _ api.ResetRequestObject) (api.ResetResponseObject, error) {
	ctx = context.WithoutCancel(ctx) // half a reset helps nobody
	o.monitor.Reset()
	var failed error
	for _, p := range o.cfg.Providers {
		if err := p.Standin.Reset(ctx); !errors.Is(err, errors.ErrUnsupported) {
			failed = errors.Join(failed, err)
		}
	}
	o.note(wasReset)
	if failed != nil {
		return nil, failed
	}
	return api.Reset204Response{}, nil
}

func (c *Console) names() []string {
	names := []string{}
	for _, p := range c.cfg.Providers {
		names = append(names, p.Name)
	}
	return names
}

// operationsOf returns the operations of a provider, or of all for an empty
// name.
func (c *Console) operationsOf(provider string) []string {
	var names []string
	for name, spec := range c.contracts {
		if provider == "" || provider == name {
			for _, op := range spec.Names() {
				// A spec has no operations for these two. They exist if the
				// spec describes how a token is issued, or if it hands out a
				// URL.
				if op == contract.Token && !issuesTokens(spec) || op == contract.Presigned && !spec.HandsOut {
					continue
				}
				names = append(names, op)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// knows refuses an operation that a provider does not have.
func (c *Console) knows(provider, operation string) error {
	if known := c.operationsOf(provider); operation != "" && !slices.Contains(known, operation) {
		return refuse(http.StatusBadRequest, "no operation is called %.60q; the operations are %s",
			operation, strings.Join(known, ", "))
	}
	return nil
}

func issuesTokens(spec *contract.Contract) bool {
	return slices.ContainsFunc(spec.Schemes, func(s contract.Scheme) bool { return s.Type == "oauth2" })
}

func (c *Console) noProvider(status int, name string) error {
	return refuse(status, "no provider is called %.60q; the providers are %s", name, strings.Join(c.names(), ", "))
}
