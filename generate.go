// Package putpost is the front page of a module that gets a file into someone
// else's system: with a PUT to a presigned URL (24SevenOffice) and with a
// multipart POST (NAVER Cloud Outbound Mailer), both as typed Go that is
// generated from hand-written OpenAPI specs.
//
// The folders say the flow, with the same word for a provider in all three:
//
//   - specs holds the contracts, one YAML file a provider;
//   - gen holds what the generator makes of them: models, client and server,
//     never edited;
//   - wrappers holds what people write: the clients, the stand-ins and the few
//     lines that a generated client lacks.
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
// This package itself has no code. It is where `go generate ./...` starts. Each
// provider has a line below that writes its package, with the generator that
// tools.go pins and the configuration that all providers share. A provider
// whose API takes forms, or files as they are, has a second line. It adds the
// methods that send them through wrappers/wire.
package putpost

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config .config/oapi-codegen.yaml -package twentyfourseven -o gen/twentyfourseven/twentyfourseven.gen.go specs/twentyfourseven.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config .config/oapi-codegen.yaml -package ncloudmailer -o gen/ncloudmailer/ncloudmailer.gen.go specs/ncloudmailer.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config .config/oapi-codegen-uploads.yaml -package ncloudmailer -o gen/ncloudmailer/uploads.gen.go specs/ncloudmailer.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config .config/oapi-codegen.yaml -package console -o gen/console/console.gen.go specs/console.yaml
