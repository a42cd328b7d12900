package upload

import (
	"cmp"
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
	d := &descriptor{}
	_, err := d.call(func(int) (fd int, err error) {
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
	mu sync.Mutex // held by each call: another file could get the number of one that is closed meanwhile
	fd int        // -1 once closed
}

// call makes a system call, and repeats it if a signal interrupted it.
func (d *descriptor) call(f func(fd int) (int, error)) (n int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fd < 0 {
		return 0, fs.ErrClosed
	}
	for {
		if n, err = f(d.fd); err != syscall.EINTR {
			return n, err
		}
	}
}

// Close waits for a Read in progress. It could not end the Read of a regular
// file.
func (d *descriptor) Close() error {
	var failed error
	_, err := d.call(func(fd int) (int, error) { failed, d.fd = syscall.Close(fd), -1; return 0, nil })
	return cmp.Or(err, failed)
}

func (d *descriptor) Read(p []byte) (int, error) {
	n, err := d.call(func(fd int) (int, error) { return syscall.Read(fd, p[:min(len(p), 1<<30)]) })
	switch {
	case err != nil:
		return 0, err
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, nil
}

func (d *descriptor) Seek(offset int64, whence int) (at int64, err error) {
	_, err = d.call(func(fd int) (_ int, err error) { at, err = syscall.Seek(fd, offset, whence); return 0, err })
	return at, err
}

func (d *descriptor) stamp() (size int64, modified time.Time, err error) {
	var st syscall.Stat_t
	_, err = d.call(func(fd int) (int, error) { return 0, syscall.Fstat(fd, &st) })
	return st.Size, time.Unix(st.Mtim.Unix()), err
}
