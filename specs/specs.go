// Package specs holds the contracts: one OpenAPI 3.0.3 document a provider,
// written by hand. The packages under gen/ are generated from them, and tests
// hold clients and stand-ins to them:
//
//	data, err := specs.FS.ReadFile("ncloudmailer.yaml")
//	...
//	doc, err := openapi3.NewLoader().LoadFromData(data)
//
// The documents are embedded here and not in the generated packages. So a
// program that only sends files links neither them nor their parser.
package specs

import "embed"

// FS holds the documents, each under the name <provider>.yaml. The folders
// under gen/ and wrappers/ have the same provider names.
//
//go:embed *.yaml
var FS embed.FS
