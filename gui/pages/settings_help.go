package pages

import (
	"fmt"
	"path/filepath"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// newBehind is the frame of a page behind the settings: the way back, its name,
// and what it is.
func newBehind(s *Shell, back func(), name, what string, objects ...fyne.CanvasObject) (*fyne.Container, *widgets.Action) {
	way := widgets.NewAction(s.t("settings.back"), "", widgets.Link, back)
	return behindOf(way, title(name), what, objects...), way
}

// behindOf is that frame under a title of its own.
func behindOf(way *widgets.Action, name fyne.CanvasObject, what string, objects ...fyne.CanvasObject) *fyne.Container {
	head := widgets.NewColumn(theme.Space2, 0, widgets.NewLine(0, -1, way), name)
	if what != "" {
		head.Add(widgets.Flush(widgets.NewPara(what, low, theme.SizeText)))
	}
	body := widgets.NewColumn(theme.Space4, widgets.ReadingWidth, append([]fyne.CanvasObject{head}, objects...)...)
	return container.NewStack(widgets.NewFill(theme.Surface),
		container.NewVScroll(widgets.NewInset(theme.Space5, theme.Space5, theme.Space5, theme.Space5, body)))
}

// newDoctorPage is the checks with what to do about each.
func newDoctorPage(s *Shell, back func()) *behindPage {
	summary, fault := newNote(widget.MediumImportance, theme.SizeText), newNote(danger, theme.SizeText)
	again := widgets.NewAction(s.t("settings.doctor.again"), "", widgets.Quiet, s.model.Examine)
	rows := widgets.NewColumn(theme.Space3, 0)
	key := ""
	p := &behindPage{load: s.model.Examine}
	p.root, _ = newBehind(s, back, s.t("settings.doctor.title"), "", summary.row, fault.row, rows, widgets.NewLine(0, -1, again))
	p.first = again
	p.refresh = func() {
		v := s.model.Doctor()
		summary.set(v.Summary)
		fault.set(v.Error)
		again.Set(word(v.Busy, s.t("settings.doctor.busy"), s.t("settings.doctor.again")), !v.Busy)
		if now := fmt.Sprint(v.Rows); now != key {
			key = now
			rows.Objects = nil
			for _, r := range v.Rows {
				rows.Add(newCheckRow(s, r))
			}
			rows.Refresh()
		}
	}
	return p
}

func newCheckRow(s *Shell, v viewmodel.CheckRow) fyne.CanvasObject {
	state, say, tone := "ok", s.t("settings.doctor.ok"), theme.Accent
	if !v.OK {
		state, say, tone = "failed", s.t("settings.doctor.bad"), theme.Reject
	}
	name := widgets.NewText(v.Name, theme.Text, theme.SizeText, true)
	name.Cut = true
	rows := widgets.NewColumn(theme.Space1, 0,
		widgets.NewLine(theme.Space2, 1, widget.NewIcon(stepIcon(state)), name, widgets.NewText(say, tone, theme.SizeText, false)))
	for _, text := range []string{v.Text, v.Remedy} {
		if text != "" {
			rows.Add(widgets.NewInset(0, 0, 0, theme.Space5+theme.Space1, widgets.Flush(widgets.NewPara(text, low, theme.SizeSmall))))
		}
	}
	return rows
}

// newLogPage is what the agent logged last. Only the lines in sight are drawn.
func newLogPage(s *Shell, back func()) *behindPage {
	levels := newChoices(s.model.SetLogLevel)
	levels.row = true
	empty, fault := newNote(low, theme.SizeText), newNote(danger, theme.SizeText)
	again := widgets.NewAction(s.t("settings.log.again"), "", widgets.Quiet, s.model.LoadLog)
	copyAll := widgets.NewAction(s.t("settings.log.copy"), "", widgets.Quiet, nil)
	copyAll.OnTapped = func() { s.copy(copyAll, s.model.LogText()) }
	var rows []viewmodel.LogRow
	lines := newLogList(func() []viewmodel.LogRow { return rows })
	way := widgets.NewAction(s.t("settings.back"), "", widgets.Link, back)
	head := widgets.NewColumn(theme.Space3, widgets.ReadingWidth, widgets.NewLine(0, -1, way), title(s.t("settings.log.title")),
		widgets.Flush(widgets.NewPara(s.t("settings.log.what"), low, theme.SizeText)), levels.box,
		widgets.NewWrap(theme.Space3, again, copyAll), empty.row, fault.row)
	p := &behindPage{load: s.model.LoadLog, first: again}
	p.root = container.NewStack(widgets.NewFill(theme.Surface),
		widgets.NewInset(theme.Space5, theme.Space5, theme.Space5, theme.Space5,
			widgets.Dock(widgets.NewInset(0, 0, theme.Space4, 0, head), nil, nil, nil, lines)))
	p.refresh = func() {
		v := s.model.Log()
		levels.refresh(v.Levels)
		empty.set(v.Empty)
		fault.set(v.Error)
		again.Set(word(v.Busy, s.t("settings.log.busy"), s.t("settings.log.again")), !v.Busy)
		rows = v.Rows
		lines.Refresh()
	}
	return p
}

// newLogList draws only the lines in sight.
func newLogList(rows func() []viewmodel.LogRow) *widget.List {
	list := widget.NewList(func() int { return len(rows()) },
		func() fyne.CanvasObject {
			// The rows are laid out once, with texts of the widest kind.
			at := widgets.NewText("2026-11-22 00:00:00", theme.Muted, theme.SizeSmall, false)
			level, text := widgets.NewText("DEBUG", theme.Muted, theme.SizeSmall, false), widgets.NewText("", theme.Text, theme.SizeSmall, false)
			at.Mono, level.Mono, text.Cut = true, true, true
			return widgets.NewLine(theme.Space3, 2, at, level, text)
		},
		func(i widget.ListItemID, o fyne.CanvasObject) {
			all, line := rows(), o.(*fyne.Container).Objects
			if i >= len(all) {
				return
			}
			line[0].(*widgets.Text).Set(all[i].Time, theme.Muted)
			line[1].(*widgets.Text).Set(all[i].Level, toneColor(all[i].Tone))
			line[2].(*widgets.Text).Set(all[i].Text, theme.Text)
		})
	list.HideSeparators = true
	return list
}

// newReportPage shows the report before it is copied or saved.
func newReportPage(s *Shell, back func()) *behindPage {
	text := widgets.NewPara("", widget.MediumImportance, theme.SizeSmall)
	text.Wrapping = fyne.TextWrapBreak
	text.TextStyle.Monospace = true
	text.Selectable = true
	saved, fault := newNote(widget.MediumImportance, theme.SizeSmall), newNote(danger, theme.SizeText)
	again := widgets.NewAction(s.t("settings.report.again"), "", widgets.Quiet, s.model.LoadReport)
	copyAll := widgets.NewAction(s.t("settings.report.copy"), "", widgets.Primary, nil)
	copyAll.OnTapped = func() { s.copy(copyAll, s.model.Report().Text) }
	save := widgets.NewAction(s.t("settings.report.save"), "", widgets.Quiet, func() { s.saveReport() })
	p := &behindPage{load: s.model.LoadReport, first: copyAll}
	p.root, _ = newBehind(s, back, s.t("settings.report.title"), s.t("settings.report.what"),
		widgets.NewWrap(theme.Space3, copyAll, save, again), saved.row, fault.row, widgets.NewHairline(), widgets.Flush(text))
	p.refresh = func() {
		v := s.model.Report()
		setLabel(text, v.Text)
		saved.set(v.Saved)
		fault.set(v.Error)
		again.Set(word(v.Busy, s.t("settings.report.busy"), s.t("settings.report.again")), !v.Busy)
		save.Set(save.Text, v.Text != "")
	}
	return p
}

func (s *Shell) saveReport() {
	report := s.model.Report().Text
	s.saveAs(s.t("settings.report.file"), func(path string, write func([]byte) error) {
		s.model.ReportSaved(filepath.Base(path), write([]byte(report)))
	})
}

// newKeysPage lists the keys of the pages that have most, and those that count
// everywhere.
func newKeysPage(s *Shell, back func()) *behindPage {
	rows := widgets.NewColumn(theme.Space4, 0)
	for _, part := range []struct {
		name string
		keys []keyHelp
	}{{s.t("keys.everywhere"), s.keysEverywhere()}, {s.t("nav.waiting"), s.folder.keyList()}, {s.t("nav.write"), s.write.keyList()}} {
		lines := widgets.NewColumn(theme.Space1, 0, widgets.NewText(part.name, theme.Muted, theme.SizeSmall, true))
		for _, k := range part.keys {
			lines.Add(keyLine(k))
		}
		rows.Add(lines)
	}
	root, way := newBehind(s, back, s.t("settings.keys.title"), s.t("settings.keys.what"), rows)
	return &behindPage{root: root, first: way, refresh: func() {}}
}
