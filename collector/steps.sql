-- name: untold
-- The steps of a region's terminals that wait to be told.
SELECT step.terminal_id, step.place, step.at, step.rule, step.item, step.before::text, step.word,
       step.said::text, step.serves, step.counted
FROM untold_step AS step
JOIN terminal ON terminal.id = step.terminal_id
WHERE terminal.region_code = %(region)s
ORDER BY step.terminal_id, step.place;
