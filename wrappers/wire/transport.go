package wire

import (
	"net/http"
	"sync"

	"github.com/putpost/putpost/wrappers/upload"
)

// transports holds the transports of all Doers that have none of their own, by
// their bound of connections. So the clients of many organizations share one set
// of connections.
var transports sync.Map

// sharedTransport returns the transport with at most connections to a host; 0
// is no bound.
func sharedTransport(connections int) *http.Transport {
	if tr, found := transports.Load(connections); found {
		return tr.(*http.Transport)
	}
	tr := upload.NewTransport()
	tr.MaxConnsPerHost = connections
	first, _ := transports.LoadOrStore(connections, tr)
	return first.(*http.Transport)
}
