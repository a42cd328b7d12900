package upload

import "iter"

// Files describes the files at paths one after another, for [Many]. Each
// source's Name is its path as given, so that a result names its file. Only the
// base name is sent. A file that cannot be described is yielded with its error,
// and the rest go on.
func Files(paths ...string) iter.Seq2[Source, error] {
	return func(yield func(Source, error) bool) {
		for _, path := range paths {
			src, err := File(path)
			src.Name = path
			if !yield(src, err) {
				return
			}
		}
	}
}
