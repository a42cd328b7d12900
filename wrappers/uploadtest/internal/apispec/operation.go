package apispec

import (
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
)

// Parameters returns the parameters of an operation.
func Parameters(r *routers.Route) (params []*openapi3.Parameter) {
	for _, ref := range slices.Concat(r.PathItem.Parameters, r.Operation.Parameters) {
		params = append(params, ref.Value)
	}
	return params
}

// Required returns the parameters that an operation cannot do without.
func Required(r *routers.Route) []*openapi3.Parameter {
	return slices.DeleteFunc(Parameters(r), func(param *openapi3.Parameter) bool { return !param.Required })
}

// NameOf returns the operationId of a route, or its method and path.
func NameOf(r *routers.Route) string {
	if r.Operation.OperationID != "" {
		return r.Operation.OperationID
	}
	return r.Method + " " + r.Path
}

// ContentOf returns the bodies that an operation takes, or nil.
func ContentOf(op *openapi3.Operation) openapi3.Content {
	if op.RequestBody == nil {
		return nil
	}
	return op.RequestBody.Value.Content
}
