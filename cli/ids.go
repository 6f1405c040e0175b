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

// shorten cuts ids to the same length, the least at which they differ.
func shorten(ids []string) []string {
	length := idLength
	for i, a := range ids {
		for _, b := range ids[i+1:] {
			common := 0
			for common < len(a) && common < len(b) && a[common] == b[common] {
				common++
			}
			if a != b {
				length = max(length, common+1)
			}
		}
	}
	cut := make([]string, len(ids))
	for i, id := range ids {
		cut[i] = line(id[:min(length, len(id))])
	}
	return cut
}

// resolve finds the one id that begins with what was typed.
func resolve(typed string, ids []string) (string, error) {
	if slices.Contains(ids, typed) {
		return typed, nil
	}
	var found []string
	for _, id := range ids {
		if typed != "" && strings.HasPrefix(id, strings.ToLower(typed)) && !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", agentclient.Failf(agentclient.CodeNotFound, "There is no mail with the id %q.", line(typed))
	}
	failure := agentclient.Failf(agentclient.CodeUsage, "%d mails have an id that begins with %q.", len(found), line(typed))
	failure.Do = fmt.Sprintf("Type more of it: %s", strings.Join(shorten(found), ", "))
	return "", failure
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
	if failure, ok := err.(*agentclient.Failure); ok && failure.Code == agentclient.CodeNotFound && len(typed) > idLength {
		// A bond bought for other tools is in no list; the agent knows it whole.
		return typed, nil
	}
	return "", err
}
