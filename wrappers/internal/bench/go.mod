module github.com/putpost/putpost/wrappers/internal/bench

go 1.26.0

require (
	github.com/go-resty/resty/v2 v2.17.2
	github.com/openai/openai-go/v3 v3.96.0
	github.com/putpost/putpost v0.0.0
	golang.org/x/oauth2 v0.37.0
)

require (
	github.com/apapsch/go-jsonmerge/v2 v2.0.0 // indirect
	github.com/coder/websocket v1.8.15 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/oapi-codegen/runtime v1.8.0 // indirect
	github.com/tidwall/gjson v1.20.0 // indirect
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.2.1 // indirect
	github.com/tidwall/sjson v1.2.5 // indirect
	golang.org/x/net v0.60.0 // indirect
)

replace github.com/putpost/putpost => ../../..
