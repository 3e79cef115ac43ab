-- expand
-- The ownership row decides: `available` is what can be sold now. The statement that sells changes it together with
-- the fence, so the CHECK makes selling too much impossible at the moment of sale.
--
-- It counts only while `available_epoch` equals `epoch`: an engine of an earlier release takes epochs without it, and
-- the next taker of this release then computes it from the event and the rows that are not booked yet. NOT VALID: the
-- column is new and empty, and 0012 validates the constraint without a lock that stops sales.
ALTER TABLE event_worker ADD COLUMN available integer, ADD COLUMN available_epoch bigint;
ALTER TABLE event_worker ADD CONSTRAINT event_worker_available_check CHECK (available >= 0) NOT VALID;
