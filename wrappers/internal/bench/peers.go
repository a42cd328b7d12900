package main

import (
	"context"
	"fmt"
	"slices"
)

// peer is one way of uploading a file. It has either an upload, which Go code
// does in the measured process, or a program, which is started for the whole
// round.
type peer struct {
	name    string
	kind    kind
	holds   bool // the whole file in memory, several times over: left out where that is too much
	upload  func(task) (func(context.Context) error, error)
	program func(context.Context, task) (peak int64, err error)
}

// kind is what an upload consists of.
type kind string

const (
	form    kind = "multipart POST"
	twoCall kind = "presigned PUT, both calls"
	putOnly kind = "PUT alone"
)

// The peers' names, as the tables show them.
const (
	barePut       = "net/http, PUT of a file"
	curlPut       = "curl -T"
	ourForm       = "putpost M"
	bufferForm    = "net/http + bytes.Buffer"
	pipeForm      = "net/http + io.Pipe"
	generatedForm = "generated client + io.Pipe"
	curlForm      = "curl -F"
	restyForm     = "resty M"
	openaiForm    = "openai-go Files.New"
	ourTwo        = "putpost P"
	bareTwo       = "net/http, both calls"
	generatedTwo  = "generated client + net/http"
	restyTwo      = "resty P"
)

// peers are all that is compared. The bare PUT comes first: it is what the
// others are measured by.
var peers = []peer{
	{name: barePut, kind: putOnly, upload: netHTTPPut},
	{name: curlPut, kind: putOnly, program: curlTransfer},
	{name: ourForm, kind: form, upload: putpostForm},
	{name: bufferForm, kind: form, upload: netHTTPBuffer, holds: true},
	{name: pipeForm, kind: form, upload: netHTTPPipe},
	{name: generatedForm, kind: form, upload: generatedPipe},
	{name: curlForm, kind: form, program: curlMultipart},
	{name: restyForm, kind: form, upload: restyMultipart, holds: true},
	{name: openaiForm, kind: form, upload: openaiFile, holds: true},
	{name: ourTwo, kind: twoCall, upload: putpostPresigned},
	{name: bareTwo, kind: twoCall, upload: netHTTPTwoCalls},
	{name: generatedTwo, kind: twoCall, upload: generatedTwoCalls},
	{name: restyTwo, kind: twoCall, upload: restyTwoCalls, holds: true},
}

func peerNamed(name string) (peer, error) {
	i := slices.IndexFunc(peers, func(p peer) bool { return p.name == name })
	if i < 0 {
		return peer{}, fmt.Errorf("there is no peer %q", name)
	}
	return peers[i], nil
}
