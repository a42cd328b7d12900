// Package foreign sends files to other people's APIs in the way that README.md
// describes under "Your own API", and checks what arrives. It is a module of
// its own, like a user's program.
//
// The two documents beside it hold upload operations of public APIs, written
// anew: only their names, types, order, encodings and required marks. One is
// generated with version 2.8 of oapi-codegen, the other with version 2.7.
package foreign

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -config api.config.yaml -package mixed -o mixed/api.gen.go mixed.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -config ../../../.config/oapi-codegen-uploads.yaml -package mixed -o mixed/uploads.gen.go mixed.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.7.2 -config api.config.yaml -package brackets -o brackets/api.gen.go brackets.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.7.2 -config uploads.config.yaml -package brackets -o brackets/uploads.gen.go brackets.yaml
