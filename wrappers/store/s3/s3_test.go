package s3_test

import (
	"errors"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/store/s3"
	"github.com/putpost/putpost/wrappers/store/storetest"
)

var must = standintest.Must

const part = 5 << 20

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func zeros(n int64) io.Reader {
	return io.LimitReader(readerFunc(func(p []byte) (int, error) { clear(p); return len(p), nil }), n)
}

// then reads r, calls f at its end, and returns f's error.
func then(r io.Reader, f func() error) io.Reader {
	return io.MultiReader(r, readerFunc(func([]byte) (int, error) { return 0, f() }))
}

func TestStore(t *testing.T) {
	g := startGateway(t)
	storetest.Run(t, func(t *testing.T) store.Store { return g.open(t) })
	g.wantNoUploads()
}

func TestAPutIntoAStoreThatDiesFailsAndShowsNothingLater(t *testing.T) {
	g := startGateway(t)
	st, err := s3.OpenOnce(g.url("x"), cred)
	must(t, err)
	if _, err := st.Put(t.Context(), "a", "text/plain", strings.NewReader("old")); err != nil {
		t.Fatal(err)
	}
	r := then(zeros(2*part+part/2), func() error { g.kill(); return io.EOF })
	_, err = st.Put(t.Context(), "a", "text/html", r)
	if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "parts are left") {
		t.Errorf("error %v, want a failure that says what was left", err)
	}
	wantClean(t, err)
	g.start()
	info, err := st.Stat(t.Context(), "a")
	if err != nil || info.Size != 3 || info.ContentType != "text/plain" {
		t.Errorf("Stat = %+v, %v, want the old object", info, err)
	}
	if _, err := st.Put(t.Context(), "a", "text/html", strings.NewReader("new")); err != nil {
		t.Errorf("after the restart: %v", err)
	}
}

func TestTooManyPartsAreTooLarge(t *testing.T) {
	g := startGateway(t)
	st := g.open(t)
	s3.SetMaxParts(st, 2)
	if n, err := st.Put(t.Context(), "fits", "", zeros(2*part)); err != nil || n != 2*part {
		t.Errorf("two parts: Put = %d, %v", n, err)
	}
	if err := st.Delete(t.Context(), "fits"); err != nil {
		t.Error(err)
	}
	if _, err := st.Put(t.Context(), "a", "", zeros(2*part+1)); !errors.Is(err, store.ErrFull) {
		t.Errorf("two parts and a byte: error %v, want ErrFull", err)
	}
	g.wantNoUploads()
}

func TestALargePutIsNotHeld(t *testing.T) {
	g := startGateway(t)
	st := g.open(t)
	const size = 64 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if n, err := st.Put(t.Context(), "a", "", zeros(size)); err != nil || n != size {
		t.Fatalf("Put = %d, %v", n, err)
	}
	runtime.ReadMemStats(&after)
	// One part, and the memory of the requests. A second buffer would exceed this.
	if got := after.TotalAlloc - before.TotalAlloc; got > 3*part {
		t.Errorf("%d MiB were allocated for an object of %d MiB", got>>20, size>>20)
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	g := startGateway(t)
	if err := g.open(t).Check(t.Context()); err != nil {
		t.Error(err)
	}
	tests := []struct {
		name, url string
		cred      s3.Credentials
		want      string
	}{
		{"bucket", strings.Replace(g.url("x"), bucket, "other", 1), cred, "NoSuchBucket"},
		{"secret", g.url("x"), s3.Credentials{AccessKeyID: cred.AccessKeyID, SecretAccessKey: "wrong"},
			"SignatureDoesNotMatch"},
		{"access key", g.url("x"), s3.Credentials{AccessKeyID: "nobody", SecretAccessKey: "wrong"}, "access key ID"},
		{"region", strings.Replace(g.url("x"), "us-east-1", "eu-north-1", 1), cred, "AuthorizationHeaderMalformed"},
	}
	for _, tt := range tests {
		t.Run("wrong "+tt.name, func(t *testing.T) {
			st, err := s3.Open(tt.url, tt.cred)
			must(t, err)
			if err = st.Check(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
			wantClean(t, err)
			if _, err := st.Put(t.Context(), "a", "", zeros(2*part)); err == nil || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Put: error %v", err)
			} else {
				wantClean(t, err)
			}
		})
	}
}

func TestPrefixesKeepApart(t *testing.T) {
	g := startGateway(t)
	for _, prefix := range []string{"", "p", "p/q/"} {
		st := opened(t, g.url(prefix))
		if _, err := st.Put(t.Context(), "a", "", strings.NewReader(prefix)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := g.objects(""), []string{"a", "p/a", "p/q/a"}; !slices.Equal(got, want) {
		t.Errorf("the bucket holds %q, want %q", got, want)
	}
}
