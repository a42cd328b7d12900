package main

func everyPeer() []string {
	var names []string
	for _, p := range peers {
		names = append(names, p.name)
	}
	return names
}

// full takes some fifteen minutes on two processors, and 6 GB of memory for a
// moment: some peers hold what they send.
func full() plan {
	var columns []column
	for _, way := range []string{plain, tlsH1, tlsH2} {
		columns = append(columns, column{way, 16 * kib, 1}, column{way, 16 * kib, 16}, column{way, mib, 1}, column{way, 10 * mib, 1})
	}
	return plan{
		name: "full", columns: append(columns, column{tlsH1, gib, 1}), peers: everyPeer(), rounds: 9, huge: gib, hugely: 3,
		count: uploads(2000), batch: 10_000, shakes: 1000, standin: 400, judged: true,
	}
}

func goalsOnly() plan {
	return plan{
		name:    "goals",
		columns: []column{{plain, 16 * kib, 16}, {tlsH1, 16 * kib, 16}, {tlsH1, 10 * mib, 1}, {tlsH2, 10 * mib, 1}},
		peers:   []string{barePut, ourForm, bufferForm, ourTwo, bareTwo}, rounds: 15, huge: gib,
		count: uploads(2000), batch: 10_000, shakes: 1000, standin: 400, judged: true,
	}
}

// quickest runs every line once.
func quickest() plan {
	return plan{
		name:    "quick, whose figures mean nothing",
		columns: []column{{plain, 16 * kib, 16}, {tlsH1, 16 * kib, 16}, {tlsH1, 10 * mib, 1}, {tlsH2, 10 * mib, 1}, {tlsH1, 64 * mib, 1}},
		peers:   everyPeer(), rounds: 1, huge: 64 * mib, hugely: 1,
		count: uploads(50), batch: 64, shakes: 100, standin: 16,
	}
}

// uploads is how many of each size a round takes. A large file is sent once:
// memory that a process had before costs it half as much as memory that it gets,
// and most programs do not send one such file after the other.
func uploads(small int) func(column) int {
	return func(c column) int {
		switch {
		case c.size <= 16*kib && c.concurrency > 1:
			return small
		case c.size <= 16*kib:
			return max(1, small/2)
		case c.size <= mib:
			return max(1, small/20)
		}
		return 1
	}
}
