package agent

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/google/uuid"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/mail"
)

// maxDrafts is how many drafts are kept at the same time.
const maxDrafts = 200

// Drafts lists the drafts, the last changed first, attachments without data.
func (a *Agent) Drafts(ctx context.Context) ([]agentclient.Draft, error) {
	list := []agentclient.Draft{}
	err := a.Store.View(ctx, func(tx *store.Tx) error {
		all, err := store.List[store.Draft](tx)
		for _, d := range slices.Backward(all) {
			shown, err := viewDraft(d)
			if err != nil {
				return err
			}
			list = append(list, shown)
		}
		return err
	})
	return list, err
}

// DraftByID is one draft with all its data.
func (a *Agent) DraftByID(ctx context.Context, id string) (draft agentclient.Draft, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		var ok bool
		if draft, ok, err = wholeDraft(tx, id); err == nil && !ok {
			err = noDraft()
		}
		return err
	})
	return draft, err
}

// SaveDraft keeps a draft, sealed. An attachment that has a size and no data is
// the one of that name and size that the draft has already. A draft whose id is
// not known (it was sent, or deleted elsewhere) is kept under that id: text is
// not refused.
func (a *Agent) SaveDraft(ctx context.Context, draft agentclient.Draft) (agentclient.Draft, error) {
	if draft.ID == "" {
		draft.ID = newID()
	}
	// Ids lie in the clear: no client brings its own words.
	if _, err := uuid.Parse(draft.ID); err != nil || len(draft.ID) != len(uuid.Nil.String()) {
		return agentclient.Draft{}, noDraft()
	}
	draft.Mail.Draft, draft.Mail.Agreed = "", nil // of the sending, which is another day
	err := a.Store.Update(ctx, "draft.save", func(tx *store.Tx) error {
		same, err := sameFiles(tx, draft)
		if err != nil {
			return err
		}
		if same { // what is attached is not sealed anew at every pause in writing
			draft.Changed = a.Now().UTC()
			return errors.Join(checkDraftSize(draft.Mail), writeDraft(tx, draft))
		}
		draft.Mail.Attachments, err = keptFiles(tx, draft.ID, draft.Mail.Attachments)
		if err != nil {
			return err
		}
		if err := checkDraftSize(draft.Mail); err != nil {
			return err
		}
		draft, err = a.putDraft(tx, draft)
		return err
	})
	if err != nil {
		return agentclient.Draft{}, err
	}
	a.tell(agentclient.EventDraft, draft.ID, "")
	return draft, nil
}

// DeleteDraft deletes a draft; one that is gone already is no error.
func (a *Agent) DeleteDraft(ctx context.Context, id string) error {
	err := a.Store.Update(ctx, "draft.delete", func(tx *store.Tx) error { return deleteDraft(tx, id) })
	if err == nil {
		a.tell(agentclient.EventDraft, id, "")
	}
	return err
}

func deleteDraft(tx *store.Tx, id string) error {
	if err := store.Delete[store.DraftData](tx, id); err != nil {
		return err
	}
	return store.Delete[store.Draft](tx, id)
}

// putDraft stores a draft with its data, if there is room for one more, and
// returns it without. Nobody but a client that saves asks for more than there may
// be.
func (a *Agent) putDraft(tx *store.Tx, draft agentclient.Draft) (agentclient.Draft, error) {
	known, err := store.Has[store.Draft](tx, draft.ID)
	if err != nil {
		return draft, err
	}
	n, err := store.Count[store.Draft](tx)
	if err != nil {
		return draft, err
	}
	if !known && n >= maxDrafts {
		return draft, agentclient.Refuse(agentclient.CodeState,
			agentclient.Say("draft.too-many", "There are {N} drafts already, and no more are kept.", "N", maxDrafts),
			agentclient.Say("draft.too-many-means", "This one was not saved. No mail was sent and no money moved."),
			agentclient.Say("draft.too-many-do", "Send or delete drafts that you do not need any more."))
	}
	draft.Changed = a.Now().UTC()
	err = writeWhole(tx, draft)
	draft, _ = splitDraft(draft)
	return draft, err
}

// writeWhole stores a draft with its data.
func writeWhole(tx *store.Tx, draft agentclient.Draft) error {
	draft, files := splitDraft(draft)
	if err := writeDraft(tx, draft); err != nil {
		return err
	}
	if len(files.Files) == 0 {
		return store.Delete[store.DraftData](tx, draft.ID)
	}
	return store.Put(tx, files)
}

func writeDraft(tx *store.Tx, draft agentclient.Draft) error {
	text, err := json.Marshal(draft.Mail)
	if err != nil {
		return err
	}
	kept := store.Draft{ID: draft.ID, Changed: draft.Changed, Mail: text}
	if ways := waysOf(draft); len(ways) > 0 {
		if kept.Ways, err = json.Marshal(ways); err != nil {
			return err
		}
	}
	return store.Put(tx, kept)
}

// waysOf are the ways to pay for those who are among the recipients, once each.
func waysOf(draft agentclient.Draft) (ways []agentclient.Way) {
	for _, to := range draft.Mail.To {
		chosen := slices.IndexFunc(draft.Ways, func(w agentclient.Way) bool { return w.To == to })
		twice := slices.ContainsFunc(ways, func(w agentclient.Way) bool { return w.To == to })
		if chosen >= 0 && !twice {
			ways = append(ways, draft.Ways[chosen])
		}
	}
	return ways
}

// splitDraft takes the data out of a draft.
func splitDraft(draft agentclient.Draft) (agentclient.Draft, store.DraftData) {
	files := store.DraftData{ID: draft.ID}
	draft.Mail.Attachments = slices.Clone(draft.Mail.Attachments)
	for i := range draft.Mail.Attachments {
		at := &draft.Mail.Attachments[i]
		files.Files = append(files.Files, at.Data)
		at.Size, at.Data = int64(len(at.Data)), nil
	}
	return draft, files
}

func viewDraft(d store.Draft) (agentclient.Draft, error) {
	draft := agentclient.Draft{ID: d.ID, Changed: d.Changed}
	err := json.Unmarshal(d.Mail, &draft.Mail)
	if err == nil && len(d.Ways) > 0 {
		err = json.Unmarshal(d.Ways, &draft.Ways)
	}
	return draft, err
}

// wholeDraft reads a draft with its data; false if there is none.
func wholeDraft(tx *store.Tx, id string) (draft agentclient.Draft, ok bool, err error) {
	kept, ok, err := store.Get[store.Draft](tx, id)
	if err != nil || !ok {
		return draft, false, err
	}
	if draft, err = viewDraft(kept); err != nil {
		return draft, false, err
	}
	files, _, err := store.Get[store.DraftData](tx, id)
	if err == nil && len(files.Files) != len(draft.Mail.Attachments) {
		err = errors.New("a draft and what is attached to it do not belong together")
	}
	for i := range draft.Mail.Attachments {
		if err == nil {
			draft.Mail.Attachments[i].Data = files.Files[i]
		}
	}
	return draft, err == nil, err
}

// sameFiles reports whether a draft has attachments, and they are those that are
// kept, all without data.
func sameFiles(tx *store.Tx, draft agentclient.Draft) (bool, error) {
	kept, ok, err := store.Get[store.Draft](tx, draft.ID)
	if err != nil || !ok {
		return false, err
	}
	before, err := viewDraft(kept)
	same := slices.EqualFunc(before.Mail.Attachments, draft.Mail.Attachments, func(a, b agentclient.Attachment) bool {
		return len(b.Data) == 0 && a.Name == b.Name && a.Type == b.Type && a.Size == b.Size
	})
	return same && len(draft.Mail.Attachments) > 0, err
}

// keptFiles fills in the data of attachments that come with a size only.
func keptFiles(tx *store.Tx, id string, attachments []agentclient.Attachment) ([]agentclient.Attachment, error) {
	if !slices.ContainsFunc(attachments, lacksData) {
		return attachments, nil
	}
	kept, _, err := wholeDraft(tx, id)
	if err != nil {
		return nil, err
	}
	attachments = slices.Clone(attachments)
	for i := range attachments {
		at := &attachments[i]
		if !lacksData(*at) {
			continue
		}
		n := slices.IndexFunc(kept.Mail.Attachments, func(k agentclient.Attachment) bool { return k.Name == at.Name && k.Size == at.Size })
		if n < 0 {
			return nil, agentclient.Refuse(agentclient.CodeUsage,
				agentclient.Say("draft.no-data", "An attachment came without its data, and the draft has none of that name and size."),
				agentclient.Say("draft.no-data-means", "Nothing was saved, sent or paid; what was kept before is still here."),
				agentclient.Say("draft.attach-again", "Attach the file again.")).At("attachments")
		}
		at.Data = kept.Mail.Attachments[n].Data
	}
	return attachments, nil
}

func lacksData(at agentclient.Attachment) bool { return len(at.Data) == 0 && at.Size > 0 }

// checkDraftSize holds a draft to the limit of a mail, so that what was kept can
// be sent.
func checkDraftSize(compose agentclient.Compose) error {
	size := len(compose.Body)
	for _, at := range compose.Attachments {
		size += max(len(at.Data), int(at.Size))
	}
	if size <= mail.MaxData {
		return nil
	}
	return tooLarge(size).Saying(nil, agentclient.Say("draft.not-saved", "The draft was not saved as it is now; what was kept before is still here."), nil)
}

// tooLarge says that a mail of so many bytes cannot be sent.
func tooLarge(size int) *agentclient.Failure {
	return agentclient.Fail(agentclient.CodeTooLarge).Saying(
		agentclient.Say("mail.too-large", "Text and attachments are {Megabytes} MB, and a mail can have {Most} MB.", "Megabytes", (size+1<<20-1)>>20, "Most", mail.MaxData>>20), nil, nil)
}

func noDraft() error {
	return agentclient.Refuse(agentclient.CodeNotFound, agentclient.Say("draft.none", "There is no such draft here."),
		agentclient.Say("draft.none-means", "Nothing was changed, and nothing was sent."),
		agentclient.Say("draft.see", "See what there is with: earnest drafts"))
}
