package standinhttp

import "time"

// File describes a file that a stand-in keeps.
type File struct {
	ID          string // the provider's fileId
	Name        string // empty if the provider's wire carries no name
	ContentType string
	Size        int64     // in bytes
	Time        time.Time // when it had arrived
}
