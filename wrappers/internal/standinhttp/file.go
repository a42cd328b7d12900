package standinhttp

import "time"

// File describes a file that a stand-in keeps.
type File struct {
	ID          string // the provider's fileId
	Name        string // empty if the provider's API has no names
	ContentType string
	Size        int64     // in bytes
	Time        time.Time // when the upload ended
}
