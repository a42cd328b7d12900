// Package browser holds the tests of the console's page in a real browser. It
// is a module of its own, so that the go.mod of putpost's users has no browser
// protocol in it.
//
//	go -C wrappers/console/browser test ./...
//
// The tests are skipped where there is no Chromium. With -args -screenshots
// FOLDER they write pictures of the page.
package browser
