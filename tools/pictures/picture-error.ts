/** The picture is refused. The message is a reason in one phrase, without words of a server. */
export class PictureError extends Error {}
