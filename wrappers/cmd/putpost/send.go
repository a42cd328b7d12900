package main

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/putpost/putpost/wrappers/internal/find"
	"github.com/putpost/putpost/wrappers/internal/journal"
	"github.com/putpost/putpost/wrappers/internal/stall"
	"github.com/putpost/putpost/wrappers/upload"
)

type sendCmd struct {
	To          string   `required:"" enum:"${providers}" placeholder:"PROVIDER" help:"Where to send: ${enum}."`
	Name        string   `placeholder:"NAME" help:"Give the one FILE another name at the provider."`
	Recursive   bool     `short:"r" help:"Send the files in folders, too. Hidden files and links to files are sent; a link to a folder is not followed."`
	FilesFrom   string   `placeholder:"LIST" help:"Send the files that the file LIST names, one on each line. - reads the names from standard input."`
	Null        bool     `short:"0" help:"The names in LIST end with a NUL instead of a newline, as from find -print0."`
	Journal     string   `placeholder:"FILE" help:"Note each sent file in FILE. Send only files that FILE does not have."`
	Wait        bool     `help:"Wait until the provider has made a document of each file. Print the documentId as third column (twentyfourseven)."`
	Concurrency int      `short:"c" default:"4" placeholder:"N" help:"Send N files at once (${default})."`
	Timeout     duration `placeholder:"D" help:"Give up a file that is not sent after D, like 90s, 5m or 2h. There is no such limit unless it is set."`
	Stall       duration `default:"1m" placeholder:"D" help:"Give up a file when no byte of it has moved for D, or when its answer takes longer than D (${default})."`
	WaitTimeout duration `default:"10m" placeholder:"D" help:"With --wait: give up waiting for the document of a file after D (${default})."`
	KeepGoing   bool     `help:"Try every file, even after a failure that all files share."`
	DryRun      bool     `help:"Send nothing. Print what would be sent: PLAN<TAB>SIZE<TAB>PATH. PLAN is send, wait (sent before, but without documentId yet) or sent (the id follows)."`
	JSON        bool     `name:"json" help:"Print a JSON object for each file instead of ID<TAB>NAME."`
	Quiet       bool     `short:"q" help:"Write nothing to standard error but failures."`
	Files       []string `arg:"" optional:"" name:"FILE" help:"Files to send; - is standard input."`
}

func (*sendCmd) Help() string {
	return `Send one file. Its id and its name are printed:

  putpost send --to twentyfourseven invoice.pdf

Send all files of a folder. After an interruption, the same command sends the
files that are missing:

  putpost send --to ncloudmailer --journal sent.journal -r invoices

Send the output of a program, or the files that a program names:

  pg_dump shop | putpost send --to twentyfourseven --name shop.sql -
  find . -name '*.pdf' -print0 | putpost send --to ncloudmailer -0 --files-from -

Output: each file is a line on standard output as soon as it is sent,
"ID<TAB>NAME". NAME is the name that the provider keeps. With --json, a line is
an object with provider, path, id, name, size, traceId, and more where the
provider has more. A file that failed has an object, too: provider, path, kind,
op, status, code, message, traceId, attempts. Only failures have a kind. A path
that is not UTF-8 has its bytes in rawPath, as base64. Progress and failures
for people are on standard error.

Failures: one file that fails does not stop the others. The run stops when every
other file would fail, too: the credentials are refused, there is no token, the
certificate is not trusted, the host does not exist, the journal cannot be
written. --keep-going goes on then. Standard output that is closed or broken
always stops the run; the ids of files under way are then on standard error.
/dev/null that is open for reading as well counts as closed, unless standard
error is the same.

Exit code: 0 when all files are sent. 1 when a file is not sent, and when there
was no file to send. 2 when the command line or the environment is wrong;
nothing is sent then.

Ctrl-C or SIGTERM: no new file is begun, and nothing waits for a documentId any
more. Files under way may take another 25 seconds. A second Ctrl-C stops at
once.

Journal: a run that was killed sends a file twice only if the file was under way
at that moment. A file is sent again when it has changed, and when NAVER has
deleted it (after 24 hours; --json shows when it expires). A file that is named
twice is sent once. Use one journal for one account at one address. Two runs
cannot use one journal at the same time. "putpost journal check FILE" looks for
damage. This prints the ids of all sent files, with those that a kill kept from
being printed:

  jq -rs 'group_by([.path, .rawPath])[][-1] | select(.failed | not)
    | [.id, .name] | @tsv' sent.journal

Lists: a LIST that is a pipe must end its last name with a newline (or NUL); a
name without it may be cut, and is not sent. A CR at the end of a line belongs
to the name, unless all lines end with CR LF.

Standard input: a pipe is copied to a file in the temporary folder first (TMPDIR
names it), since the length must be known before the file is sent.

Never sent: the journal, the file of --env-file, and the files that standard
output and standard error go to, also if they are in a folder that is sent.

Credentials come from the environment, or from a file that only its owner can
read. This is for cron and systemd:

  putpost send --env-file /etc/putpost.env --to ncloudmailer -r /var/invoices

The file has lines like NCLOUD_ACCESS_KEY=value. If it has one credential of a
provider, it must have all of them. The names:

  twentyfourseven  TWENTYFOURSEVEN_TOKEN, or TWENTYFOURSEVEN_CLIENT_ID,
                   TWENTYFOURSEVEN_CLIENT_SECRET and TWENTYFOURSEVEN_ORGANIZATION
  ncloudmailer     NCLOUD_ACCESS_KEY and NCLOUD_SECRET_KEY

TWENTYFOURSEVEN_BASE_URL, TWENTYFOURSEVEN_TOKEN_URL and NCLOUD_MAILER_BASE_URL
replace the documented addresses, for example by the one of putpost serve.`
}

// check refuses flags that make no sense together.
func (c *sendCmd) check(to provider) error {
	stdins := c.stdins()
	switch {
	case len(c.Files) == 0 && c.FilesFrom == "":
		return usagef("there is nothing to send: name a FILE, - for standard input, or --files-from LIST")
	case c.Concurrency < 1:
		return usagef("--concurrency is %d and must be at least 1", c.Concurrency)
	case c.Name != "" && (len(c.Files) != 1 || c.FilesFrom != "" || c.Recursive):
		return usagef("--name is for exactly one FILE")
	case c.Name != "" && upload.BaseName(c.Name) == "":
		return usagef("--name %q ends with a separator", c.Name)
	case stdins > 0 && c.FilesFrom == find.Stdin:
		return usagef("standard input cannot be both a file and the list of --files-from")
	case stdins > 0 && c.Journal != "":
		return usagef("--journal cannot recognise standard input; give a file")
	case stdins > 1:
		return usagef("standard input can be sent only once")
	case c.Null && c.FilesFrom == "":
		return usagef("--null is for the list of --files-from")
	case c.Wait && to.wait == nil:
		return usagef("--wait: %s has nothing to wait for", c.To)
	}
	return nil
}

// stdins returns how many times standard input is named as a file.
func (c *sendCmd) stdins() (n int64) {
	for _, path := range c.Files {
		if path == find.Stdin {
			n++
		}
	}
	return n
}

func (c *sendCmd) Run(p *program) error {
	to := providers[c.To]
	if err := c.check(to); err != nil {
		return err
	}
	client, err := to.client(p.env, upload.Config{
		HTTPClient:    &http.Client{Transport: c.transport()},
		AnswerTimeout: -1, // --stall is the limit
	})
	if err != nil {
		return err
	}
	s := &sender{
		sendCmd: c, to: to, client: client, stdin: p.stdin, env: p.env,
		output: newOutput(p),
		taken:  map[journal.Key]bool{},
	}
	s.quiet = c.Quiet
	s.more, s.end = context.WithCancelCause(context.Background())
	defer s.end(nil)
	if s.folder, err = os.Getwd(); err != nil {
		return err
	}
	if c.FilesFrom != "" {
		s.list = find.OpenList(c.FilesFrom, c.Null, p.stdin)
		defer s.list.Close()
		if c.stdins() > 0 && s.list.SharesStream(p.stdin) {
			return usagef("--files-from %s is standard input, which cannot be sent as a file, too", c.FilesFrom)
		}
	}
	if c.Journal != "" {
		if s.journal, err = c.openJournal(p, to); err != nil {
			return usageError{err}
		}
		defer s.journal.Close()
		if s.journal.Torn {
			s.note("journal %s: the last line was torn by a crash, so it does not count", c.Journal)
		}
	}
	s.ownFiles(p.envFile)
	if c.DryRun {
		return s.plan(context.Background())
	}
	return s.run()
}

// openJournal opens the journal. A dry run neither makes nor changes it.
func (c *sendCmd) openJournal(p *program, to provider) (*journal.Journal, error) {
	target := journal.Target{To: c.To, Base: to.destination(p.env), Account: to.account(p.env)}
	if c.DryRun {
		return journal.Read(c.Journal, target)
	}
	return journal.Open(c.Journal, target)
}

// transport returns a transport with one connection for each file that is sent
// at once. Without this limit net/http opens more while one is about to become
// free.
func (c *sendCmd) transport() http.RoundTripper {
	t := upload.NewTransport()
	t.MaxConnsPerHost = c.Concurrency
	return &stall.Transport{Base: t, After: time.Duration(c.Stall), Reason: stalled(time.Duration(c.Stall))}
}
