package console

import (
	"embed"
	"io/fs"
	"net/http"
)

//go:embed page
var embedded embed.FS

// page holds the page and its style, script and icon.
var page, _ = fs.Sub(embedded, "page") // fails only for a path that is not valid

// pagePolicy lets the page load and run its own files only, and lets no other
// page show it in a frame.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Link serves a page with a link to the console, for the root of the server.
// The page names its icon. Otherwise a browser would ask for /favicon.ico, and
// the console would show a request with a wrong address.
func Link(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(`<!doctype html><html lang="en"><meta charset="utf-8"><title>putpost</title>` +
		`<link rel="icon" href="` + Path + `icon.svg"><h1>putpost</h1><p>Stand-ins for upload APIs serve here. ` +
		`<a href="` + Path + `">Open the console</a> to see what arrives.</p></html>` + "\n"))
}
