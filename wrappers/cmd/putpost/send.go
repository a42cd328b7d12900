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
	To   string `required:"" enum:"${providers}" placeholder:"PROVIDER" help:"Where to send: ${enum}."`
	Name string `placeholder:"NAME" help:"Give the one FILE another name at the provider."`

	Recursive bool   `short:"r" help:"Send the files in folders, too."`
	FilesFrom string `placeholder:"LIST" help:"Send the files named in LIST, one on each line. - is standard input."`
	Null      bool   `short:"0" help:"Each name in LIST ends with NUL, not with a newline: as from find -print0."`

	Journal string `placeholder:"FILE" help:"Note each sent file in FILE. Send only files that FILE does not have."`
	Wait    bool   `help:"Wait for the document of each file. Print its documentId as third column."`

	Concurrency int      `short:"c" default:"4" placeholder:"N" help:"Send N files at once (${default})."`
	Timeout     duration `placeholder:"D" help:"Give up a file that is not sent after D, such as 90s, 5m or 2h."`
	Stall       duration `default:"1m" placeholder:"D" help:"Give up a file that does not move for D (${default})."`
	WaitTimeout duration `default:"10m" placeholder:"D" help:"With --wait: wait no longer than D (${default})."`
	KeepGoing   bool     `help:"Try every file, even after a failure that all files share."`

	DryRun bool `help:"Send nothing. Print what a run would do with each file."`
	JSON   bool `help:"Print a JSON object for each file instead of ID<TAB>NAME."`
	Quiet  bool `short:"q" help:"Write only failures to standard error."`

	Files []string `arg:"" optional:"" name:"FILE" help:"Files to send; - is standard input."`
}

func (*sendCmd) Help() string {
	return `Send one file. putpost prints its id and its name:

  putpost send --to twentyfourseven invoice.pdf

Send all files of a folder. If the run is interrupted, run the same command
again. It sends only the files that are missing:

  putpost send --to ncloudmailer --journal sent.journal -r invoices

Send the output of a program, or the files that a program names:

  pg_dump shop | putpost send --to twentyfourseven --name shop.sql -
  find . -name '*.pdf' -print0 |
    putpost send --to ncloudmailer -0 --files-from -

Output:

  - Standard output has a line for each file as soon as the file is sent:
    ID<TAB>NAME. NAME is the name that the provider keeps.
  - With --json the line is an object: provider, path, id, name, size, traceId,
    and more if the provider has more.
  - With --json a file that failed has an object, too: provider, path, kind, op,
    status, code, message, traceId, attempts. Only a failure has a kind.
  - If a path is not UTF-8, rawPath has its bytes as base64.
  - Standard error has progress and failures, for people.
  - With --wait the documentId is the third column. Only twentyfourseven makes
    documents.
  - With --dry-run the line is PLAN<TAB>SIZE<TAB>PATH. PLAN is "send" for a file
    that would be sent, and "sent" for one that was sent before. It is "wait"
    for one that was sent, but has no documentId yet. After "sent" and "wait"
    the id follows.

Failures:

  - A file that fails does not stop the others.
  - A failure that all files share stops the run: the credentials are refused,
    there is no token, the certificate is not trusted, the host does not exist,
    or the journal cannot be written. With --keep-going the run goes on.
  - A file does not move if no byte of it moves, or if its answer takes too
    long: see --stall. As long as it moves, only --timeout ends it.
  - Standard output that is closed or broken always stops the run. The ids of
    the files under way are then on standard error.
  - To throw the output away, write > /dev/null. A /dev/null that is also open
    for reading counts as closed, unless standard error is the same.

Exit code:

  - 0: all files are sent.
  - 1: a file is not sent, or there was no file to send.
  - 2: the command line or the environment is wrong. Nothing is sent.

Ctrl-C or SIGTERM: the run begins no new file, and waits for no documentId. The
files under way may take another 25 seconds. A second Ctrl-C stops them at once.

Journal:

  - A file in the journal is sent again only if it has changed, or if NAVER has
    deleted it. NAVER does so after 24 hours. --json shows when.
  - After a kill, only the files that were under way can be sent twice.
  - A file that is named twice is sent once.
  - Use one journal for one account at one address. Two runs cannot use one
    journal at the same time.
  - "putpost journal check FILE" looks for damage.

This prints the ids of all sent files, even those that a kill kept from being
printed:

  jq -rs 'group_by([.path, .rawPath])[][-1] | select(.failed | not)
    | [.id, .name] | @tsv' sent.journal

Files:

  - In a folder, hidden files and links to files are sent. A link to a folder is
    not followed.
  - A LIST that is a pipe must end with a newline, or with a NUL if --null is
    set. Otherwise the last name may be cut, so that file is not sent.
  - A CR at the end of a line belongs to the name, unless all lines end with
    CR LF.
  - A pipe on standard input is first copied to a file in the temporary folder,
    because the length must be known before the file is sent. TMPDIR names this
    folder.
  - These are never sent, even if they are in a folder that is sent: the
    journal, the file of --env-file, and the files that standard output and
    standard error go to.

Credentials come from the environment, or from a file that only its owner can
read. The file is for cron and systemd:

  putpost send --env-file /etc/putpost.env \
    --to ncloudmailer -r /var/invoices

A line of the file is like NCLOUD_ACCESS_KEY=value. Its value replaces the one
in the environment. If the file has one credential of a provider, it must have
all of them. These are the names:

  twentyfourseven  TWENTYFOURSEVEN_TOKEN, or all three of
                   TWENTYFOURSEVEN_CLIENT_ID,
                   TWENTYFOURSEVEN_CLIENT_SECRET and
                   TWENTYFOURSEVEN_ORGANIZATION
  ncloudmailer     NCLOUD_ACCESS_KEY and NCLOUD_SECRET_KEY

TWENTYFOURSEVEN_BASE_URL, TWENTYFOURSEVEN_TOKEN_URL and NCLOUD_MAILER_BASE_URL
replace the documented addresses. Use them to send to putpost serve.`
}

// check refuses flags that make no sense together.
func (c *sendCmd) check(to provider) error {
	stdins := c.stdins()
	switch {
	case len(c.Files) == 0 && c.FilesFrom == "":
		return usagef("there is nothing to send: name a FILE, - for standard input, or --files-from LIST")
	case c.Concurrency < 1:
		return usagef("--concurrency is %d; it must be at least 1", c.Concurrency)
	case c.Name != "" && (len(c.Files) != 1 || c.FilesFrom != "" || c.Recursive):
		return usagef("--name is for exactly one FILE; name one, or leave --name out")
	case c.Name != "" && upload.BaseName(c.Name) == "":
		return usagef("--name %q ends with a separator; end it with a name", c.Name)
	case stdins > 0 && c.FilesFrom == find.Stdin:
		return usagef("standard input cannot be both a file and the list of --files-from; name another LIST")
	case stdins > 0 && c.Journal != "":
		return usagef("--journal needs files with a path; standard input has none, so leave --journal out")
	case stdins > 1:
		return usagef("standard input can be sent only once; write - only once")
	case c.Null && c.FilesFrom == "":
		return usagef("--null is for the list of --files-from; add --files-from LIST, or leave --null out")
	case c.Wait && to.wait == nil:
		return usagef("--wait: %s makes no documents; leave --wait out", c.To)
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
			return usagef("--files-from %s is standard input, and that cannot be both a file and a list; "+
				"name another LIST", c.FilesFrom)
		}
	}
	if c.Journal != "" {
		open := journal.Open
		if c.DryRun {
			open = journal.Read // neither makes nor changes it
		}
		target := journal.Target{To: c.To, Base: to.destination(p.env), Account: to.account(p.env)}
		if s.journal, err = open(c.Journal, target); err != nil {
			return usageError{err}
		}
		defer s.journal.Close()
		if s.journal.Torn {
			s.note("journal %s: a crash cut the last line, so it does not count", c.Journal)
		}
	}
	s.own = s.ownFiles(p.envFile)
	if c.DryRun {
		return s.plan(context.Background())
	}
	return s.run()
}

// transport returns a transport with one connection for each file that is sent
// at once. Without this limit net/http opens more while one is about to become
// free.
func (c *sendCmd) transport() http.RoundTripper {
	t := upload.NewTransport()
	t.MaxConnsPerHost = c.Concurrency
	return &stall.Transport{Base: t, After: time.Duration(c.Stall), Reason: stalled(time.Duration(c.Stall))}
}
