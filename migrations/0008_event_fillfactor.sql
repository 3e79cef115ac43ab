-- Room on each page of the catalogue for the next versions of its rows, so that booking what was sold does not enter an event into nine indexes anew: with
-- a thousand events on sale that was most bookings. Pages of before are filled as they are; a row that leaves one goes to a page with room.
-- expand
ALTER TABLE event SET (fillfactor = 85);
