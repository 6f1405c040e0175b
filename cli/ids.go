package cli

import (
	"fmt"
	"slices"
	"strings"

	"earnest/agentclient"
)

// idLength is how much of an id lists show, where that is enough.
const idLength = 8

// name is an id as a person is told it on its own: the short form of the lists
// where the verb has seen the list, else the whole.
func (s *session) name(id string) string {
	if short, ok := s.names[id]; ok {
		return short
	}
	return line(id)
}

// learn keeps the short forms of the ids of a list.
func (s *session) learn(ids []string) {
	s.names = map[string]string{}
	for i, short := range shorten(ids) {
		s.names[ids[i]] = short
	}
}

// hashLength is that of an id that is a hash: 32 bytes in base64url.
const hashLength = 43

// bare is an id without the dashes that one in 64 hashes begins with: on a
// command line they would make a flag of it.
func bare(id string) string { return strings.TrimLeft(id, "-") }

// undash makes ids of those arguments that would be taken for flags: a program
// passes on whole ids as it got them.
func undash(args []string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if len(arg) == hashLength && !strings.ContainsFunc(arg, notBase64) {
			args[i] = bare(arg)
		}
	}
	return args
}

func notBase64(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// shorten cuts ids to the same length, the least at which they differ.
func shorten(ids []string) []string {
	length, short := idLength, make([]string, len(ids))
	for i, id := range ids {
		short[i] = bare(id)
	}
	// In order, those that have most in common are neighbours.
	sorted := slices.Sorted(slices.Values(short))
	for i := range len(sorted) - 1 {
		a, b, common := sorted[i], sorted[i+1], 0
		for common < len(a) && common < len(b) && a[common] == b[common] {
			common++
		}
		if a != b {
			length = max(length, common+1)
		}
	}
	for i, id := range short {
		short[i] = line(id[:min(length, len(id))])
	}
	return short
}

// resolve finds the one id that begins with what was typed. Capitals count
// only where both ways are ids.
func resolve(typed string, ids []string) (string, error) {
	if slices.Contains(ids, typed) {
		return typed, nil
	}
	if len(typed) > maxTyped {
		return "", agentclient.Failf(agentclient.CodeNotFound, "There is no mail with an id of %d characters.", len(typed))
	}
	found := begins(ids, func(id string) bool { return strings.HasPrefix(id, bare(typed)) })
	if len(found) == 0 {
		found = begins(ids, func(id string) bool {
			return len(id) >= len(bare(typed)) && strings.EqualFold(id[:len(bare(typed))], bare(typed))
		})
	}
	switch {
	case len(found) == 1 && bare(typed) != "":
		return found[0], nil
	case len(found) == 0 || bare(typed) == "":
		return "", agentclient.Failf(agentclient.CodeNotFound, "There is no mail with the id %q.", line(typed))
	}
	failure := agentclient.Failf(agentclient.CodeUsage, "%d mails have an id that begins with %q.", len(found), line(typed))
	failure.Do = fmt.Sprintf("Type more of it: %s", strings.Join(shorten(found), ", "))
	return "", failure
}

// decisive is how much of an id must be typed where money moves by it: a slip of
// one letter would name another mail.
const decisive = 4

// meant refuses a beginning of an id that is too short to move money by.
func meant(typed, id string) error {
	if typed == id || len(bare(typed)) >= decisive {
		return nil
	}
	failure := agentclient.Failf(agentclient.CodeUsage, "%q is too little of an id to decide about money: it takes %d characters.", line(typed), decisive)
	failure.Do = "Type more of it: " + shorten([]string{id})[0]
	return failure
}

// maxTyped is far above every id.
const maxTyped = 200

func begins(ids []string, matches func(string) bool) []string {
	var found []string
	for _, id := range ids {
		if matches(bare(id)) && !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	return found
}

// mail finds the received mail that a person means.
func (s *session) mail(typed string) (string, error) {
	mails, err := s.agent.Inbox(s.ctx)
	if err != nil {
		return "", err
	}
	ids := make([]string, 0, len(mails))
	for _, m := range mails {
		ids = append(ids, m.ID)
	}
	s.learn(ids)
	return resolve(typed, ids)
}

// sentMail finds the sent mail that a person means.
func (s *session) sentMail(typed string) (string, error) {
	sent, err := s.agent.Sent(s.ctx)
	if err != nil {
		return "", err
	}
	ids := make([]string, 0, len(sent))
	for _, m := range sent {
		ids = append(ids, m.ID)
	}
	s.learn(ids)
	return resolve(typed, ids)
}

// bond finds the bond that a person means: by its own id, or by its mail's.
func (s *session) bond(typed string) (string, error) {
	mails, err := s.agent.Inbox(s.ctx)
	if err != nil {
		return "", err
	}
	sent, err := s.agent.Sent(s.ctx)
	if err != nil {
		return "", err
	}
	bonds := map[string]string{}
	for _, m := range mails {
		bonds[m.ID], bonds[m.Bond] = m.Bond, m.Bond
	}
	for _, m := range sent {
		bonds[m.ID], bonds[m.Bond] = m.Bond, m.Bond
	}
	ids := make([]string, 0, len(bonds))
	for id := range bonds {
		if id != "" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	id, err := resolve(typed, ids)
	if err == nil {
		return bonds[id], nil
	}
	if failure, ok := err.(*agentclient.Failure); ok && failure.Code == agentclient.CodeNotFound && len(typed) > idLength && len(typed) <= maxTyped {
		// A bond bought for other tools is in no list; the agent knows it whole.
		return typed, nil
	}
	return "", err
}
