// Package foreign sends files to other people's APIs through what README.md
// says under "Your own API", and looks at what arrives. It is a module of its
// own, as a stranger's program is.
//
// The two documents beside it hold upload operations of public APIs, typed
// anew: their names, types, order, encodings and required marks, and nothing
// else. One is generated with oapi-codegen's version 2.8, the other with its
// version 2.7.
package foreign

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -config api.config.yaml -package mixed -o mixed/api.gen.go mixed.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -config ../../../.config/oapi-codegen-uploads.yaml -package mixed -o mixed/uploads.gen.go mixed.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.7.2 -config api.config.yaml -package brackets -o brackets/api.gen.go brackets.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.7.2 -config uploads.config.yaml -package brackets -o brackets/uploads.gen.go brackets.yaml
