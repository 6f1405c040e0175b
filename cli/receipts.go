package cli

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"

	"earnest/agentclient"
)

type receiptsCmd struct {
	ID     string `arg:"" optional:"" name:"id" help:"A mail or a bond, or the beginning of its id."`
	Verify bool   `xor:"how" help:"Say what the receipts prove. This asks the agent alone, not the escrow."`
	Export string `xor:"how" placeholder:"FILE" help:"Write the receipts to a new file, to be shown to others."`
	Check  string `xor:"how" placeholder:"FILE" help:"Say what the receipts in a file prove, without any network; - is standard input."`
}

func (c *receiptsCmd) Run(s *session) error {
	switch {
	case (c.ID == "") == (c.Check == ""):
		failure := agentclient.Failf(agentclient.CodeUsage, "It takes either a mail's id or a file to check.")
		failure.Means, failure.Do = "Nothing was checked.", "See: earnest help receipts"
		return failure
	case c.Check != "":
		return s.checkReceipts(c.Check)
	}
	bond, err := s.bond(c.ID)
	if err != nil {
		return err
	}
	receipts, err := s.agent.Receipts(s.ctx, bond)
	if err != nil {
		return err
	}
	if c.Export != "" {
		return s.exportReceipts(receipts, c.Export)
	}
	var fault *agentclient.Failure
	if c.Verify && !receipts.Verified {
		fault = agentclient.Failf(agentclient.CodeDamaged, "The receipts do not prove what they say: %s.", line(receipts.Fault))
		fault.Means = "The escrow says that the money went so, and cannot prove it."
		fault.Do = "Keep the receipts (earnest receipts ID --export FILE) and show them to the escrow's operator."
	}
	return s.receipts(receipts, c.Verify, fault)
}

// maxReceipts bounds a file of receipts: the agent takes no more.
const maxReceipts = 1 << 20

func (s *session) checkReceipts(name string) error {
	data, err := s.readFile(name, maxReceipts)
	if err != nil {
		return err
	}
	var receipts agentclient.Receipts
	if err := json.Unmarshal(data, &receipts); err != nil {
		failure := agentclient.Failf(agentclient.CodeUsage, "The file %s holds no receipts as they are exported.", line(name))
		failure.Means, failure.Do = "Nothing was checked.", "Have them exported anew: earnest receipts ID --export FILE"
		return failure
	}
	if receipts, err = s.agent.CheckReceipts(s.ctx, receipts); err != nil {
		return err
	}
	var fault *agentclient.Failure
	if !receipts.Verified {
		fault = agentclient.Failf(agentclient.CodeDamaged, "The receipts do not prove what they say: %s.", line(receipts.Fault))
		fault.Means = "They were changed, are not whole, or were never made by that escrow."
		fault.Do = "Have them exported anew by whoever gave them to you, or ask the escrow's operator about the bond."
	}
	return s.receipts(receipts, true, fault)
}

// exportReceipts writes a new file: never over one that may be another's proof.
func (s *session) exportReceipts(receipts agentclient.Receipts, name string) error {
	data, err := json.MarshalIndent(receipts, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		_, err = file.Write(append(data, '\n'))
		if closed := file.Close(); err == nil {
			err = closed
		}
	}
	if err != nil {
		failure := agentclient.Failf(agentclient.CodeUsage, "The receipts cannot be written to %s: %s.", line(name), reason(err))
		failure.Means, failure.Do = "The agent keeps them.", "Name another file."
		return failure
	}
	if s.json {
		return s.printJSON(receipts)
	}
	s.say("Written to %s. Whoever has it can check it: earnest receipts --check FILE\n", line(name))
	return nil
}

// receipts shows receipts and, where asked for, what they prove.
func (s *session) receipts(receipts agentclient.Receipts, verify bool, fault *agentclient.Failure) error {
	if s.json {
		if err := s.printJSON(receipts); err != nil || fault == nil {
			return err
		}
		return &shown{fault}
	}
	s.say("Bond %s\n", line(receipts.Bond))
	rows := [][]string{}
	for _, step := range receipts.Steps {
		rows = append(rows, []string{"", strconv.FormatInt(step.N, 10), line(step.Event), line(step.Money), s.receiptTime(step)})
	}
	s.table(rows, 1)
	switch {
	case fault != nil:
		return fault
	case verify && receipts.KeyPinned:
		s.say("Verified: every receipt is signed by the escrow's key that was pinned when the account\nwas made, names the one before, and contains the recipient's signed statement where\none is needed.\n")
	case verify:
		s.say("They agree with one another: every receipt is signed by the key that the file names,\nnames the one before, and contains the recipient's signed statement where one is needed.\nThis agent does not know that escrow: ask it whether the key is its own.\n")
	default:
		return nil
	}
	if !slices.ContainsFunc(receipts.Steps, ended) {
		s.say("The last of them leaves the money held: what came after it, if anything did, is not\namong them.\n")
	}
	s.say("  key  %s\n", line(receipts.ReceiptKey)) // the quote is long, and in the file
	return nil
}

// ended: with this step the money went somewhere for good. Receipts prove what they
// say and not that they are all: whoever hands them on can leave out the last.
func ended(step agentclient.Receipt) bool {
	return step.Money == "refunded" || step.Money == "forfeited"
}
