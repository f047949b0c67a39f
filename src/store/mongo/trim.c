/*
 * trim.c - gives back what only the start of libmongoc needed.
 *
 * Loading it initialises TLS, SASL, ICU and more, which touches megabytes of
 * program text that no request comes to again.  Those pages are files' own
 * and unchanged: dropped, they stay in the page cache, and the few that are
 * needed come back by a minor fault.  Owns no memory.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Only segments that were mapped without leave to write: what relocation
 * wrote to, also where it was protected afterwards, is in those with.
 */
static int drop_segments(struct dl_phdr_info *info, size_t size, void *ctx)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)ctx;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t begin = info->dlpi_addr + p->p_vaddr;
		uintptr_t end = begin + p->p_filesz;

		/* Whole pages of this segment alone. */
		begin = (begin + page - 1) / page * page;
		end = end / page * page;
		if (p->p_type == PT_LOAD && !(p->p_flags & PF_W) && begin < end)
			(void)madvise((void *)begin, end - begin,
			    MADV_DONTNEED);
	}
	return 0;
}

void mongo_trim(void)
{
	(void)dl_iterate_phdr(drop_segments, NULL);
}
