package upload

import (
	"io"
	"io/fs"
	"sync"
	"syscall"
	"time"
)

// openFile opens path without os.File. An os.File asks the poller about every
// file, although a regular file never has to be waited for. If a named pipe
// took the file's place, opening does not wait and reading fails.
func openFile(path string) (handle, error) {
	d := &descriptor{uses: 1}
	_, err := d.call(func() (fd int, err error) {
		d.fd, err = syscall.Open(path, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		return d.fd, err
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return d, nil
}

// descriptor is an open file of the system.
type descriptor struct {
	fd int

	mu     sync.Mutex
	uses   int // one until Close, and one for each call under way
	closed bool
}

// call makes a system call, and repeats it if a signal interrupted it. A Close
// meanwhile takes effect after the call: earlier, another file could get the
// same number.
func (d *descriptor) call(f func() (int, error)) (n int, err error) {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return 0, fs.ErrClosed
	}
	d.uses++
	d.mu.Unlock()
	defer d.done()
	for {
		if n, err = f(); err != syscall.EINTR {
			return n, err
		}
	}
}

// done closes the file after its last use.
func (d *descriptor) done() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.uses--; d.uses > 0 {
		return nil
	}
	return syscall.Close(d.fd)
}

// Close does not wait for a Read in progress.
func (d *descriptor) Close() error {
	d.mu.Lock()
	closed := d.closed
	d.closed = true
	d.mu.Unlock()
	if closed {
		return fs.ErrClosed
	}
	return d.done()
}

func (d *descriptor) Read(p []byte) (int, error) {
	n, err := d.call(func() (int, error) { return syscall.Read(d.fd, p[:min(len(p), 1<<30)]) })
	switch {
	case err != nil:
		return 0, err
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, nil
}

func (d *descriptor) Seek(offset int64, whence int) (at int64, err error) {
	_, err = d.call(func() (_ int, err error) { at, err = syscall.Seek(d.fd, offset, whence); return 0, err })
	return at, err
}

func (d *descriptor) stamp() (size int64, modified time.Time, err error) {
	var st syscall.Stat_t
	_, err = d.call(func() (int, error) { return 0, syscall.Fstat(d.fd, &st) })
	return st.Size, time.Unix(st.Mtim.Unix()), err
}
