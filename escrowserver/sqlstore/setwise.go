package sqlstore

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// A statement is written for one row, with a ? for each value. PostgreSQL is given
// all rows in one go: the values become columns of a table named want, whose
// columns are k1, k2 and so on, and which arrives as one array a column.

// numbered is the statement for one row in PostgreSQL's words: $1 for the first ?.
func numbered(statement string) string {
	return replaceValues(statement, func(n int) string { return "$" + strconv.Itoa(n) })
}

func wanted(n int) string { return "want.k" + strconv.Itoa(n) }

func replaceValues(statement string, name func(n int) string) string {
	parts := strings.Split(statement, "?")
	var b strings.Builder
	for i, part := range parts {
		if i > 0 {
			b.WriteString(name(i))
		}
		b.WriteString(part)
	}
	return b.String()
}

// wantTable is the table of the values, of the types given.
func wantTable(types []string, ordinal bool) string {
	var arrays, columns []string
	for i, t := range types {
		arrays = append(arrays, "$"+strconv.Itoa(i+1)+"::"+t+"[]")
		columns = append(columns, "k"+strconv.Itoa(i+1))
	}
	if ordinal {
		return "unnest(" + strings.Join(arrays, ", ") + ") WITH ORDINALITY AS want(" + strings.Join(columns, ", ") + ", n)"
	}
	return "unnest(" + strings.Join(arrays, ", ") + ") AS want(" + strings.Join(columns, ", ") + ")"
}

// questionSet asks the question for every row of values; the first column of its
// answer is the number of the row, from 1. Rows are looked up, and locked, in
// their order: OFFSET keeps the planner from turning the loop around, which it would
// do while the table is small, to read all of it for every batch when it has grown.
func questionSet(statement string, types []string) string {
	return "SELECT want.n, answer.* FROM " + wantTable(types, true) +
		" CROSS JOIN LATERAL (" + replaceValues(statement, wanted) + " OFFSET 0) AS answer"
}

// writeSet makes the write for every row of values.
func writeSet(statement string, types []string) (string, error) {
	text := replaceValues(statement, wanted)
	table := wantTable(types, false)
	switch {
	case strings.HasPrefix(text, "INSERT "):
		before, after, ok := strings.Cut(text, "VALUES (")
		values, rest, closed := strings.Cut(after, ")")
		if ok && closed {
			return before + "SELECT " + values + " FROM " + table + rest, nil
		}
	case strings.HasPrefix(text, "UPDATE "):
		if before, after, ok := strings.Cut(text, " WHERE "); ok {
			return before + " FROM " + table + " WHERE " + after, nil
		}
	case strings.HasPrefix(text, "DELETE "):
		if before, after, ok := strings.Cut(text, " WHERE "); ok {
			return before + " USING " + table + " WHERE " + after, nil
		}
	}
	return "", fmt.Errorf("not a write of one row: %s", statement)
}

// columns turns rows of values into an array a column, and names their types.
func columns(values [][]any) (arrays []any, types []string, err error) {
	for i := range values[0] {
		var array any
		var name string
		switch kind := reflect.TypeOf(values[0][i]); {
		case kind == nil:
			return nil, nil, fmt.Errorf("value %d has no type", i+1)
		case kind.Kind() == reflect.String:
			array, name = column(values, i, reflect.Value.String), "text"
		case kind.Kind() == reflect.Int64 || kind.Kind() == reflect.Int:
			array, name = column(values, i, reflect.Value.Int), "bigint"
		case kind.Kind() == reflect.Slice && kind.Elem().Kind() == reflect.Uint8:
			array, name = column(values, i, reflect.Value.Bytes), "bytea"
		default:
			return nil, nil, fmt.Errorf("value %d is a %s", i+1, kind)
		}
		arrays, types = append(arrays, array), append(types, name)
	}
	return arrays, types, nil
}

func column[T any](values [][]any, i int, value func(reflect.Value) T) []T {
	array := make([]T, len(values))
	for n, row := range values {
		array[n] = value(reflect.ValueOf(row[i]))
	}
	return array
}
