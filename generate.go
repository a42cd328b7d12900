// Package putpost documents a module that sends files to other people's
// systems: with a PUT to a presigned URL (24SevenOffice) and with a multipart
// POST (NAVER Cloud Outbound Mailer). Both are typed Go, generated from
// hand-written OpenAPI specs.
//
// The folders follow the flow. A provider has the same name in all three:
//
//   - specs holds the contracts, one YAML file a provider;
//   - gen holds the generated packages: models, client and server, never
//     edited;
//   - wrappers holds the code written by hand: the clients, the stand-ins, and
//     the parts that a generated client lacks.
//
// A program that sends files imports wrappers/upload and the folder of its
// provider:
//
//	client, err := ncloudmailer.New(credentials, upload.Config{})
//	...
//	src, err := upload.File("invoice.pdf")
//	...
//	result, err := client.Upload(ctx, src) // result.ID is what mails name the file by
//
// This package has no code. `go generate ./...` starts here. Each provider has
// a line below that writes its package, with the generator that tools.go pins
// and the configuration that all providers share. A provider whose API takes
// forms, or files as they are, has a second line. It adds the methods that send
// them through wrappers/wire.
package putpost

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config .config/oapi-codegen.yaml -package twentyfourseven -o gen/twentyfourseven/twentyfourseven.gen.go specs/twentyfourseven.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config .config/oapi-codegen.yaml -package ncloudmailer -o gen/ncloudmailer/ncloudmailer.gen.go specs/ncloudmailer.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config .config/oapi-codegen-uploads.yaml -package ncloudmailer -o gen/ncloudmailer/uploads.gen.go specs/ncloudmailer.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config .config/oapi-codegen.yaml -package console -o gen/console/console.gen.go specs/console.yaml
